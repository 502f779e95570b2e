"""dbt does not make the folders of external models; tarn needs no such step."""
import os

os.makedirs("out", exist_ok=True)
