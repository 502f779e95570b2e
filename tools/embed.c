// Host tool of the build: turns the files of res/ into one C table.
//
//   embed DIR LIST OUT     LIST has one path a line, relative to DIR, in the order of the table
//
// The build sorts LIST by name, so tn_res_find can search by halving. Every entry ends with a zero byte that
// its size does not count: a text resource can be handed to C functions that want a terminated string.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "embed: cannot %s '%s'\n", what, name);
    exit(1);
}

static size_t write_bytes(FILE *out, const char *path)
{
    FILE *in = fopen(path, "rb");
    if (in == NULL) {
        fail("read", path);
    }
    size_t size = 0;
    for (int c = getc(in); c != EOF; c = getc(in)) {
        fprintf(out, "%d,%s", c, ++size % 24 == 0 ? "\n" : "");
    }
    if (ferror(in) || fclose(in) != 0) {
        fail("read", path);
    }
    return size;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: embed DIR LIST OUT\n");
        return 2;
    }
    FILE *list = fopen(argv[2], "r");
    FILE *out = fopen(argv[3], "w");
    if (list == NULL || out == NULL) {
        fail("open", list == NULL ? argv[2] : argv[3]);
    }
    char name[1024], path[4096];
    static char table[1 << 20];
    size_t used = 0, count = 0;
    fprintf(out, "// Made by tools/embed.c from res/. Do not edit.\n#include \"base/res.h\"\n");
    while (fgets(name, sizeof name, list) != NULL) {
        name[strcspn(name, "\n")] = '\0';
        if (name[0] == '\0') {
            continue;
        }
        int n = snprintf(path, sizeof path, "%s/%s", argv[1], name);
        if (n < 0 || (size_t)n >= sizeof path) {
            fail("fit the path of", name);
        }
        fprintf(out, "static const unsigned char r%zu[] = {", count);
        size_t size = write_bytes(out, path);
        fprintf(out, "0};\n");
        n = snprintf(
            table + used, sizeof table - used, "    {\"%s\", %zu, r%zu},\n", name, size, count);
        if (n < 0 || (size_t)n >= sizeof table - used) {
            fail("fit into the table", name);
        }
        used += (size_t)n;
        count++;
    }
    fprintf(out, "extern const tn_res tn_res_table[];\nextern const size_t tn_res_table_n;\n");
    fprintf(out, "const tn_res tn_res_table[] = {\n%s    {0, 0, 0},\n};\n", table);
    fprintf(out, "const size_t tn_res_table_n = %zu;\n", count);
    if (fclose(out) != 0) {
        fail("write", argv[3]);
    }
    fclose(list);
    return 0;
}
