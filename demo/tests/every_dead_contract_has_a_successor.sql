-- A split replaces contracts one by one: each dead one shares its key with exactly one that lives on.
{{ config(enabled=env_var('TARN_MARKET_DATA', '') != '') }}

select dead.contract_id, count(living.contract_id) as successors
from {{ ref('silver_contracts') }} as dead
left join {{ ref('silver_contracts') }} as living
    on living.contract_key = dead.contract_key and not living.is_dead
where dead.is_dead
group by dead.contract_id
having count(living.contract_id) <> 1
