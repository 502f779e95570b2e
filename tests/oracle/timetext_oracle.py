#!/usr/bin/env python3
"""Compares text/timetext.h with Python's datetime on random values.

    tests/oracle/timetext_oracle.py [COUNT]     TIMETEXT_DRIVER, else $TARN_BUILD/timetext_driver, is the program

Prints what differs and `N passed, N failed`.
"""
import datetime as dt
import json
import os
import random
import subprocess
import sys

EPOCH = dt.datetime(1970, 1, 1)
DIRECTIVES = list("aAbBcCdDeFfgGHhIjklmMpPRrSTuUVwWxXyY%") + ["-d", "-m", "_H", "^a", "#p", "-j"]
READABLE = ["%Y-%m-%d %H:%M:%S.%f", "%d/%m/%y %I:%M %p", "%A %d %B %Y", "%j %Y", "%Y%m%d%H%M%S", "%a %b %d %H:%M:%S %Y",
    "%G-W%V-%u", "%Y %U %w", "%Y %W %w", "%c", "%x %X", "%y%m%d"]


def micros_of(d):
    return (d - EPOCH) // dt.timedelta(microseconds=1)


def random_datetime(rng):
    d = dt.datetime(1, 1, 1) + dt.timedelta(days=rng.randrange(3652059), microseconds=rng.randrange(86400 * 10**6))
    return d.replace(microsecond=0) if rng.random() < 0.3 else d


def cases(rng, count):
    for i in range(count):
        d = random_datetime(rng)
        if d.year >= 1000:
            fmt = " ".join("%" + rng.choice(DIRECTIVES) for _ in range(4))
            yield ["strftime", micros_of(d), fmt], d.strftime(fmt)
            fmt = rng.choice(READABLE)
            text = d.strftime(fmt)
            if rng.random() < 0.2:
                at = rng.randrange(len(text))
                text = text[:at] + rng.choice("0193 :x-") + text[at + 1:]
            try:
                want = str(dt.datetime.strptime(text, fmt))
            except ValueError:
                want = "error"
            yield ["strptime", text, fmt], want
        offset = rng.choice([None, 0, 19800, -18000, 3600, -12345])
        z = d if offset is None else d.replace(tzinfo=dt.timezone(dt.timedelta(seconds=offset)))
        yield ["iso", micros_of(d), offset], f"{z.isoformat()} {z!r}"
        delta = dt.timedelta(microseconds=rng.randrange(-10**15, 10**15) if i % 2 else rng.randrange(-10**12, 10**12) // 10**6 * 10**6)
        yield ["delta", delta // dt.timedelta(microseconds=1)], f"{delta} {delta!r}"
        week = d.isocalendar()
        yield ["week", (d - EPOCH).days], f"{d.date()} {week[0]} {week[1]} {week[2]}"
        text = z.isoformat(rng.choice("T "))
        at_utc = (z if offset is None else z.replace(tzinfo=None) - z.utcoffset()) if 2 < d.year < 9998 else None
        if at_utc is not None:
            yield ["parse", text], f"{micros_of(at_utc)} {int(offset is not None)} {offset or 0}"


def main():
    driver = os.environ.get("TIMETEXT_DRIVER") or os.path.join(os.environ.get("TARN_BUILD", ""), "timetext_driver")
    if not os.path.exists(driver):
        sys.exit(f"no driver at '{driver}'\n{__doc__}")
    jobs = list(cases(random.Random(7), int(sys.argv[1]) if len(sys.argv) > 1 else 4000))
    text = "".join(json.dumps(job) + "\n" for job, _ in jobs)
    out = subprocess.run([driver], input=text.encode(), stdout=subprocess.PIPE, timeout=600).stdout.decode()
    got = out.split("\n")[:-1]
    failed = 0
    if len(got) != len(jobs):
        print(f"{len(got)} answers to {len(jobs)} questions")
        failed = 1
    for (job, want), have in zip(jobs, got):
        if want != have:
            failed += 1
            if failed < 20:
                print(f"{job}\n  python: {want!r}\n  tarn:   {have!r}")
    print(f"{len(jobs) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
