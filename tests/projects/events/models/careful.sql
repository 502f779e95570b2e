{% if execute %}{% do exceptions.warn("be careful") %}{% endif %}
select 1 as id -- {{ ref("people") }}
