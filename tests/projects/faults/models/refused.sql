{{ config(materialized='table') }} select 1 as id {{ exceptions.raise_compiler_error('not today') if execute }}
