{#-
  No two series may be the same series under two names. A vendor's broken load once gave one company's prices to all 505
  members of the index, each row in itself flawless; only comparing whole series shows it.
-#}
{% test series_are_distinct(model, column_name, series, within, order_by, at_least=20) %}

with

fingerprints as (
    select
        {{ within | join(', ') }}, {{ series }},
        count(*) as days,
        md5(string_agg({{ column_name }}, ',' order by {{ order_by }})) as fingerprint
    from {{ model }}
    group by all
    having count(*) >= {{ at_least }}
)

select {{ within | join(', ') }}, string_agg({{ series }}, ', ' order by {{ series }}) as same_series, any_value(days) as days
from fingerprints
group by {{ within | join(', ') }}, fingerprint
having count(*) > 1

{% endtest %}
