{#-
  Black-Scholes as SQL expressions. DuckDB has no error function, so the normal distribution is written out:
  Hart's rational approximation as published by West ("Better approximations to cumulative normal functions", 2005),
  good to about 15 digits, which is what makes a bisection down to 1e-12 meaningful.

  spot, strike, years, rate, vol are SQL expressions; rates are continuously compounded, vol is per year (0.25 = 25 %).
  Early exercise and dividends are left out: see the description of silver_chain_clean.
-#}
{% macro norm_cdf(x) -%}
    (case
        when abs({{ x }}) > 37 then if({{ x }} > 0, 1.0, 0.0)
        when {{ x }} > 0 then 1.0 - ({{ norm_tail('abs(' ~ x ~ ')') }})
        else {{ norm_tail('abs(' ~ x ~ ')') }}
    end)
{%- endmacro %}

{#- P(Z > z) for z >= 0. -#}
{% macro norm_tail(z) -%}
    {%- set above = '((((((3.52624965998911e-02 * Z + 0.700383064443688) * Z + 6.37396220353165) * Z + 33.912866078383) * Z
            + 112.079291497871) * Z + 221.213596169931) * Z + 220.206867912376)' -%}
    {%- set below = '(((((((8.83883476483184e-02 * Z + 1.75566716318264) * Z + 16.064177579207) * Z + 86.7807322029461) * Z
            + 296.564248779674) * Z + 637.333633378831) * Z + 793.826512519948) * Z + 440.413735824752)' -%}
    exp(-{{ z }} * {{ z }} / 2.0) * if({{ z }} < 7.07106781186547,
        {{ above | replace('Z', z) }} / {{ below | replace('Z', z) }},
        1.0 / (({{ z }} + 1.0 / ({{ z }} + 2.0 / ({{ z }} + 3.0 / ({{ z }} + 4.0 / ({{ z }} + 0.65))))) * 2.506628274631))
{%- endmacro %}

{% macro bs_d1(spot, strike, years, rate, vol) -%}
    ((ln({{ spot }} / {{ strike }}) + ({{ rate }} + {{ vol }} * {{ vol }} / 2.0) * {{ years }}) / ({{ vol }} * sqrt({{ years }})))
{%- endmacro %}

{#- Price of a call (call_put = 'C') or put, given d1 as a column so that it is worked out once a row. -#}
{% macro bs_price(call_put, spot, strike, years, rate, vol, d1) -%}
    {%- set d2 = '(' ~ d1 ~ ' - ' ~ vol ~ ' * sqrt(' ~ years ~ '))' -%}
    ({{ spot }} * {{ norm_cdf(d1) }} - {{ strike }} * exp(-{{ rate }} * {{ years }}) * {{ norm_cdf(d2) }}
        -- put-call parity turns the call into the put
        + if({{ call_put }} = 'C', 0.0, {{ strike }} * exp(-{{ rate }} * {{ years }}) - {{ spot }}))
{%- endmacro %}

{% macro bs_delta(call_put, d1) -%}
    ({{ norm_cdf(d1) }} - if({{ call_put }} = 'C', 0.0, 1.0))
{%- endmacro %}
