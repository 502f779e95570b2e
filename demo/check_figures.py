#!/usr/bin/env python3
"""Work the demo's figures out again, from the raw files and without SQL, and compare them with what was published.

    demo/check_figures.py DATA [--lake LAKE] [--tarn PROGRAM]

DATA is the market folder, or the folder that get_data.sh filled. Without --lake the figures are only printed.
Only Python's standard library is used.
"""
import argparse
import csv
import glob
import gzip
import io
import math
import os
import statistics
import subprocess
import sys


def rows(path):
    with gzip.open(path, "rt") if path.endswith(".gz") else open(path) as f:
        yield from csv.DictReader(f)


def iso_date(text):
    if "/" not in text:
        return text
    month, day, year = text.split("/")
    return f"{year}-{month:0>2}-{day:0>2}"


def last_days(series, day, count):
    """The values of the `count` days up to and including `day`."""
    days = sorted(d for d in series if d <= day)[-count:]
    assert days[-1] == day and len(days) == count, (day, len(days))
    return [series[d] for d in days]


def iv_rank(series, day):
    window = last_days(series, day, 252)
    return (window[-1] - min(window)) / (max(window) - min(window))


def iv_percentile(series, day):
    window = last_days(series, day, 252)
    return sum(v < window[-1] for v in window) / len(window)


def realised(series, day, count):
    closes = last_days(series, day, count + 1)
    returns = [math.log(b / a) for a, b in zip(closes, closes[1:])]
    return statistics.stdev(returns) * math.sqrt(252)


def read_vix(paths):
    """Later paths (newer vintages) win; any of the header and date styles."""
    series = {}
    for path in sorted(paths):
        for row in rows(path):
            row = {k.lower().replace("vix", "").strip() or "close": v for k, v in row.items()}
            if row["close"] != ".":
                series[iso_date(row["date"])] = float(row["close"])
    return series


def norm_cdf(x):
    return math.erfc(-x / math.sqrt(2)) / 2


def black_scholes(call_put, spot, strike, years, rate, vol):
    d1 = (math.log(spot / strike) + (rate + vol * vol / 2) * years) / (vol * math.sqrt(years))
    d2 = d1 - vol * math.sqrt(years)
    discounted = strike * math.exp(-rate * years)
    if call_put == "C":
        return spot * norm_cdf(d1) - discounted * norm_cdf(d2), norm_cdf(d1)
    return discounted * norm_cdf(-d2) - spot * norm_cdf(-d1), norm_cdf(d1) - 1


def implied(call_put, spot, strike, years, rate, price):
    low, high = 1e-4, 10.0
    for _ in range(100):
        vol = (low + high) / 2
        if black_scholes(call_put, spot, strike, years, rate, vol)[0] < price:
            low = vol
        else:
            high = vol
    return vol


def aapl_chain(data, day):
    """AAPL's chain without the contracts that died in the split: those of 2014-06-05, when only they were listed with a price."""
    def read(d):
        return {(r["#expiry"], r["right"], r["strike"]): r
                for r in rows(f"{data}/options/lean/universe/aapl/{d}.csv") if r["#expiry"]}
    old = {key for key, r in read("20140605").items() if float(r["strike"]) > 150}
    return [(e, side, float(k), int(r["open_interest"] or 0))
            for (e, side, k), r in read(day.replace("-", "")).items() if (e, side, k) not in old and float(k) <= 150]


def put_call(chain):
    return sum(o for _, s, _, o in chain if s == "P") / sum(o for _, s, _, o in chain if s == "C")


def max_pain(chain, expiry):
    options = [(s, k, o) for e, s, k, o in chain if e == expiry]

    def paid(at):
        return sum(o * max(at - k if s == "C" else k - at, 0) for s, k, o in options)
    return min(sorted({k for _, k, _ in options}), key=lambda k: round(paid(k), 2))


def sp500_vintages(data):
    """{symbol: {day: close}} of both downloads; NYSE:LMT is LMT."""
    result = []
    for vintage in ("2017-08-15", "2018-02-09"):
        series = {}
        for path in glob.glob(f"{data}/prices/sp500_5yr/vintage={vintage}/*.csv.gz"):
            with gzip.open(path, "rt") as f:
                lines = csv.reader(f)
                header = [name.lower() for name in next(lines)]
                day, close, name = (header.index(n) for n in ("date", "close", "name"))
                for row in lines:
                    if row[close]:
                        series.setdefault(row[name].replace("NYSE:", ""), {})[row[day]] = float(row[close])
        result.append(series)
    return result


def small_figures(data):
    vix = read_vix([f"{data}/vix/vix.csv.gz"])
    aapl = {r["Date"]: float(r["Adj Close"]) for r in rows(f"{data}/prices/stocks.csv.gz") if r["Ticker"] == "AAPL"}
    yield from vix_figures(vix, ["2018-12-24"])
    yield rv_figure("AAPL", "2013-03-01", realised(aapl, "2013-03-01", 20))


def vix_figures(vix, days):
    for day in days:
        for figure, value in (("iv_rank", iv_rank(vix, day)), ("iv_percentile", iv_percentile(vix, day))):
            yield (f"VIX {day} {figure}", value, 1e-9,
                   f"select {figure} from gold.gold_iv_rank where measure = 'VIX' and trade_date = '{day}'")


def rv_figure(symbol, day, value):
    return (f"{symbol} {day} 20-day realised volatility", value, 1e-9,
            f"select rv_20 from gold.gold_rv_vs_iv where symbol = '{symbol}' and trade_date = '{day}'")


def full_figures(data):
    yield from vix_figures(read_vix(glob.glob(f"{data}/indices/vix/vintage=*/*.gz")), ["2014-06-16", "2020-03-16"])

    old, new = sp500_vintages(data)
    yield rv_figure("AAPL", "2014-06-16", realised(new["AAPL"], "2014-06-16", 20))

    day = "2014-06-09"
    yield (f"AAPL {day} put/call by open interest", put_call(aapl_chain(data, day)), 1e-9,
           f"select put_call_open_interest from gold.gold_flow_daily where underlying = 'AAPL' and trade_date = '{day}'")
    for day in ("2014-06-09", "2014-06-10", "2014-06-11", "2014-06-12", "2014-06-13", "2014-06-16"):
        yield (f"AAPL {day} max pain of 2014-06-21", max_pain(aapl_chain(data, day), "20140621"), 1e-9,
               f"select max_pain from gold.gold_max_pain where underlying = 'AAPL' and trade_date = '{day}' and expiry = '2014-06-21'")

    changed = sum(abs(new[s][d] - c) > 0.00501 for s in old if s in new for d, c in old[s].items() if d in new[s])
    yield ("closes that the second download changed", changed, 0, "select count(*) from silver.silver_price_corrections")
    span = {s: (min(days), max(days)) for s, days in new.items()}
    withdrawn = sum(span[s][0] <= d <= span[s][1] and d not in new[s] for s in old if s in new for d in old[s])
    kept = {(s, d) for v in (old, new) for s in v for d in v[s]}
    yield ("days of S&P 500 prices, the withdrawn ones deleted", len(kept) - withdrawn, 0,
           "select count(*) from silver.silver_prices_daily where vendor = 'sp500_5yr'")


class Lake:
    def __init__(self, tarn, lake):
        self.command = [tarn, "sql", "--lake", lake, "--format", "csv"]

    def rows(self, sql):
        out = subprocess.run(self.command + [sql], check=True, capture_output=True, text=True).stdout
        return list(csv.reader(io.StringIO(out)))[1:]


def check_volatilities(lake):
    """Every 20th implied volatility and delta, found again with the error function of the C library."""
    found = lake.rows(
        "select call_put, spot, strike, days_to_expiry, rate, mid, iv, delta from silver.silver_chain_clean "
        "where iv is not null order by contract_id, trade_date")[::20]
    worst = 0.0
    for call_put, *numbers in found:
        spot, strike, days, rate, mid, iv, delta = map(float, numbers)
        vol = implied(call_put, spot, strike, days / 365, rate, mid)
        price, own_delta = black_scholes(call_put, spot, strike, days / 365, rate, iv)
        # where a price hardly depends on volatility, compare the price instead
        worst = max(worst, min(abs(vol - iv), abs(price - mid) * 1e3), abs(own_delta - delta))
    return len(found), worst


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--lake", default=os.environ.get("TARN_LAKE"))
    parser.add_argument("--tarn", default=os.environ.get("TARN", "tarn"))
    args = parser.parse_args()

    full = os.path.isdir(f"{args.data}/options")
    lake = Lake(args.tarn, args.lake) if args.lake else None
    wrong = 0
    print(f"{'figure':<52} {'worked out here':>16} {'published':>16}")
    for label, value, tolerance, sql in (full_figures if full else small_figures)(args.data):
        published, verdict = "", ""
        if lake:
            found = lake.rows(sql)
            published = float(found[0][0]) if found and found[0][0] else math.nan
            bad = not abs(published - value) <= tolerance
            wrong += bad
            published, verdict = f"{published:.6f}", "  WRONG" if bad else ""
        print(f"{label:<52} {value:>16.6f} {published:>16}{verdict}")
    if lake and full:
        count, worst = check_volatilities(lake)
        bad = worst > 1e-6
        wrong += bad
        print(f"{count} implied volatilities and deltas, worst difference {worst:.1e}{'  WRONG' if bad else ''}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
