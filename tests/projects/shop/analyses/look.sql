select * from {{ ref('orders') }} -- {{ target.name }}
