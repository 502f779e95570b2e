{% macro external_location(relation, config) -%}
    {%- set identifier = model['alias'] -%}
    {%- set schema = target.schema -%}
    {%- set layer = model['fqn'][1] -%}
    {%- set root = config.get('external_root', validator=validation.any[basestring]) -%}
    {%- set format = config.get('format', 'parquet') -%}
    {%- if model['package_name'] != 'finget' -%}
        {%- set layer = model['package_name'] -%}
    {%- endif -%}
    {%- if schema == 'prod' -%}
        {%- set location = root ~ 'main' ~ '/' ~ layer ~ '/' ~ identifier -%}
    {%- else -%}
        {%- set location = root ~ 'main' ~ '/' ~ layer ~ '_' ~ schema ~ '/' ~ identifier -%}
    {%- endif -%}
    {%- if config.get('options', {}).get('partition_by') is none -%}
        {%- set location = location ~ '.' ~ format -%}
    {%- endif -%}
    {{ log('Writing the data files to ' ~ location, True) }}
    {{ return(location) }}
{%- endmacro %}
