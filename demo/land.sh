#!/bin/sh
# Land the raw files as Delta tables in $TARN_LAKE/landing. Everything lands as text: a drifted header or a bad number is
# something for bronze to see and for a test to stop, never a reason to lose the file.
#
#   demo/land.sh            the full market folder if TARN_MARKET_DATA is set, otherwise the packages that get_data.sh unpacked
#   demo/land.sh poison     once more the S&P 500 prices, with the vendor's broken load among them
#   demo/land.sh antidote   the same without it
#
# TARN, TARN_LAKE and TARN_DEMO_DATA (get_data.sh's folder) come from demo/run.
set -eu
: "${TARN_LAKE:?is the folder or URL of the lake}" "${TARN:=tarn}"

land() { # land TABLE FILES... OPTIONS...
    table=$1 && shift
    "$TARN" land --lake "$TARN_LAKE" --mode overwrite --schema-mode overwrite \
        --format csv --delimiter , --normalize-names --types '*=VARCHAR' "landing.$table" "$@"
}

bar='open,high,low,close'
data=${TARN_MARKET_DATA:-}
case ${1:-all} in
poison)
    land prices_sp500_5yr "$data/prices/sp500_5yr/*/*.csv.gz"
    exit ;;
antidote)
    land prices_sp500_5yr "$data/prices/sp500_5yr/vintage=2018-02-09/*.csv.gz" "$data/prices/sp500_5yr/vintage=2017-08-15/*.csv.gz"
    exit ;;
esac

if [ -z "$data" ]; then
    data=${TARN_DEMO_DATA:?is where get_data.sh put the files}
    land index_prices  "$data/indices/*.csv.gz"
    land vix           "$data/vix/vix.csv.gz"
    land prices_wiki   "$data/prices/stocks.csv.gz"
    land prices_closes "$data/prices/sp500_dataset.csv.gz"
    exit
fi

# prices and indices
land index_prices       "$data/indices/sp500_1999-2018.csv.gz"
land vix                "$data/indices/vix/*/vix-daily.csv.gz"
land prices_sp500_5yr   "$data/prices/sp500_5yr/vintage=2018-02-09/*.csv.gz" "$data/prices/sp500_5yr/vintage=2017-08-15/*.csv.gz"
land prices_wiki        "$data/prices/wiki/bokeh_stocks.csv.gz"
land prices_hello_world "$data/prices/wiki/hello-world-stock.csv.gz"
land prices_closes      "$data/prices/closes/sp500_dataset.csv.gz"
land prices_lean        "$data/prices/lean_daily/*.zip" --columns "time,$bar,volume"
land prices_coarse      "$data/prices/coarse_eod/*.csv.gz" \
    --columns security_id,ticker,close,volume,dollar_volume,has_fundamentals,price_factor,split_factor

# options
land option_universe      "$data/options/lean/universe/*/*.csv"
land option_quotes        "$data/options/lean/daily/*_quote_american.zip" \
    --columns time,bid_open,bid_high,bid_low,bid_close,bid_size,ask_open,ask_high,ask_low,ask_close,ask_size
land option_trades        "$data/options/lean/daily/*_trade_american.zip" --columns "time,$bar,volume"
land option_open_interest "$data/options/lean/daily/*_openinterest_american.zip" --columns time,open_interest

# rates and reference
land treasury_curve "$data/rates/us_treasury_curve_1990-2020.csv.gz"
land credit_rate    "$data/rates/us_primary_credit_rate.csv"
land constituents   "$data/reference/sp500_constituents/*/constituents.csv.gz" --on-bad-row aside # six lines of four vintages have a field too many or too few
land factor_files   "$data/reference/factor_files/*.csv" --columns date,price_factor,split_factor,reference_price
land sessions       "$data/reference/xnys_sessions_1990-2026.csv.gz"
