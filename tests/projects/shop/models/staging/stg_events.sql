select * from {{ source('landing', 'events') }}
{% if var('min_amount') > 5 %} where id > {{ var('min_amount') }} {% endif %}
