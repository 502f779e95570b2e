{#- How we call a contract: AAPL 2014-06-21 C 92.14 -#}
{% macro contract_name(contract, strike) -%}
    {{ contract }}.underlying || strftime({{ contract }}.expiry, ' %Y-%m-%d ') || {{ contract }}.call_put || printf(' %.2f', {{ strike }})
{%- endmacro %}
