/* fuzz_main.c: runs a fuzz target (fuzz_*.c) without libFuzzer: PROGRAM ROUNDS SEED FILE...
 *
 * Each line and each whole of the files is an input (of a file NAME.hex each line, of hexadecimal digits), first as it is, then ROUNDS times in total mutated: bytes changed, parts removed,
 * repeated or taken from another input. With ROUNDS 0 it replays the files only. The input that is running is kept in
 * the file that FUZZ_LAST names, so that a crash leaves it behind. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUTS_MAX = 20000, INPUT_BYTES_MAX = 65536 };
static struct {
    uint8_t *p;
    size_t n;
} inputs[INPUTS_MAX];
static size_t inputs_n;
static uint64_t seed;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static size_t below(size_t n)
{
    return n == 0 ? 0 : (size_t)(next_random() % n);
}

static void add_input(const uint8_t *p, size_t n)
{
    if (inputs_n < INPUTS_MAX && n > 0 && n <= INPUT_BYTES_MAX) {
        inputs[inputs_n].p = malloc(n);
        if (inputs[inputs_n].p != NULL) {
            memcpy(inputs[inputs_n].p, p, n);
            inputs[inputs_n++].n = n;
        }
    }
}

static void add_hex(const uint8_t *p, size_t n)
{
    static uint8_t bytes[INPUT_BYTES_MAX];
    size_t k = 0;
    for (unsigned digits; k < sizeof bytes && 2 * k + 1 < n; k++) {
        char two[3] = { (char)p[2 * k], (char)p[2 * k + 1], 0 };
        if (sscanf(two, "%2x", &digits) != 1) {
            break;
        }
        bytes[k] = (uint8_t)digits;
    }
    add_input(bytes, k);
}

static void read_file(const char *path)
{
    static uint8_t all[(size_t)16 << 20];
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        fprintf(stderr, "cannot read '%s'\n", path);
        exit(2);
    }
    size_t n = fread(all, 1, sizeof all, f), from = 0;
    fclose(f);
    const char *end = strrchr(path, '.');
    bool hex = end != NULL && strcmp(end, ".hex") == 0;
    if (!hex) {
        add_input(all, n);
    }
    for (size_t i = 0; i < n; i++) {
        if (all[i] == '\n') {
            (hex ? add_hex : add_input)(all + from, i - from);
            from = i + 1;
        }
    }
}

static void run(const uint8_t *p, size_t n)
{
    const char *last = getenv("FUZZ_LAST");
    FILE *f = last != NULL ? fopen(last, "wb") : NULL;
    if (f != NULL) {
        fwrite(p, 1, n, f);
        fclose(f);
    }
    LLVMFuzzerTestOneInput(p, n);
}

/* One change; the buffer has room for twice the input. */
static size_t mutate(uint8_t *p, size_t n)
{
    size_t at = below(n), len = 1 + below(n - at < 20 ? n - at : 20);
    static const char marks[] = "{}%#()[]'\"|.,-+*~:= \n\\0aix";
    switch (below(5)) {
    case 0:
        p[at] = (uint8_t)marks[below(sizeof marks - 1)];
        return n;
    case 1:
        p[at] = (uint8_t)next_random();
        return n;
    case 2:
        memmove(p + at, p + at + len, n - at - len);
        return n - len;
    case 3:
        memmove(p + at + len, p + at, n - at);
        return n + len;
    default: {
        size_t from = below(inputs_n), start = below(inputs[from].n), more = 1 + below(40);
        more = more > inputs[from].n - start ? inputs[from].n - start : more;
        memmove(p + at + more, p + at, n - at);
        memcpy(p + at, inputs[from].p + start, more);
        return n + more;
    }
    }
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s ROUNDS SEED FILE...\n", argv[0]);
        return 2;
    }
    long rounds = strtol(argv[1], NULL, 10);
    seed = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
    for (int i = 3; i < argc; i++) {
        read_file(argv[i]);
    }
    for (size_t i = 0; i < inputs_n; i++) {
        run(inputs[i].p, inputs[i].n);
    }
    static uint8_t buffer[4 * INPUT_BYTES_MAX];
    for (long r = 0; r < rounds && inputs_n > 0; r++) {
        size_t which = below(inputs_n), n = inputs[which].n;
        memcpy(buffer, inputs[which].p, n);
        for (size_t changes = 1 + below(6); changes > 0 && n > 0 && n < 2 * INPUT_BYTES_MAX;
            changes--) {
            n = mutate(buffer, n);
        }
        run(buffer, n);
    }
    printf("%zu inputs and %ld mutations passed\n", inputs_n, rounds);
    for (size_t i = 0; i < inputs_n; i++) {
        free(inputs[i].p);
    }
    return 0;
}
