/* random.c: getrandom, or SplitMix64 when a test has set a seed. */
#include "os/random.h"

#include <stdatomic.h>
#include <sys/random.h>

static _Atomic uint64_t seeded;

static uint64_t split_mix(void)
{
    uint64_t z = atomic_fetch_add(&seeded, 0x9E3779B97F4A7C15u) + 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void tn_random_bytes(void *p, size_t n)
{
    unsigned char *out = p;
    if (atomic_load(&seeded) != 0) {
        for (size_t i = 0; i < n; i++) {
            out[i] = (unsigned char)(split_mix() >> 24);
        }
        return;
    }
    while (n > 0) {
        ssize_t got = getrandom(out, n, 0);
        if (got > 0) {
            out += got;
            n -= (size_t)got;
        }
    }
}

uint64_t tn_random_u64(void)
{
    uint64_t v;
    tn_random_bytes(&v, sizeof v);
    return v;
}

double tn_random_unit(void)
{
    return (double)(tn_random_u64() >> 11) * 0x1.0p-53;
}

tn_str tn_uuid4(tn_arena *a)
{
    unsigned char u[16];
    tn_random_bytes(u, sizeof u);
    u[6] = (unsigned char)(0x40 | (u[6] & 0x0F));
    u[8] = (unsigned char)(0x80 | (u[8] & 0x3F));
    return tn_str_printf(a, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
        u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13],
        u[14], u[15]);
}

void tn_random_seed(uint64_t seed)
{
    atomic_store(&seeded, seed);
}
