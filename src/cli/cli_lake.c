/* cli_lake.c: see cli_lake.h. */
#include "cli/cli_lake.h"

#include <stdio.h>

#include "base/log.h"
#include "os/file.h"
#include "os/proc.h"
#include "os/thread.h"
#include "project/project.h"
#include "text/json.h"
#include "text/timetext.h"
#include "text/uri.h"

enum { WATCH_EVERY_MS = 100, JSON_BYTES_MAX = 1 << 30 };

/* ---- which lake ---- */

static bool project_here(const tn_cli *cli)
{
    if (cli->project_dir.n > 0) {
        return true;
    }
    tn_str dir;
    if (tn_cwd(cli->arena, &dir, NULL) != TN_OK) {
        return false;
    }
    while (dir.n > 0) {
        if (tn_file_exists(
                tn_str_printf(cli->arena, TN_STR_FMT "/dbt_project.yml", TN_STR_ARG(dir)))) {
            return true;
        }
        dir = tn_path_dir(dir);
        if (tn_str_is(dir, "/")) {
            break;
        }
    }
    return false;
}

static void take_profile(const tn_cli *cli, const tn_profile *p, tn_cli_place *out)
{
    out->storage =
        tn_lake_storage_of(cli->arena, (tn_val){ .tag = TN_DICT, .dict = p->credentials });
    if (tn_str_is(p->type, "tarn")) {
        if (out->lake.n == 0) {
            out->lake = p->path;
        }
        /* The rule of a run (lake_target.c): without it, sql and land would look at another environment than build. */
        tn_val creds = { .tag = TN_DICT, .dict = p->credentials };
        if (out->env.n == 0 && p->credentials != NULL) {
            out->env = tn_val_str_at(creds, "environment", p->target_name);
        }
        return;
    }
    if (out->lake.n == 0 && p->path.n > 0 && !tn_str_is(p->path, ":memory:")) {
        tn_str copy = tn_lake_read_copy_path(cli->arena, p->path);
        out->database = tn_file_exists(copy) ? copy : p->path;
        out->schema = p->schema;
    }
}

tn_rc tn_cli_find_place(const tn_cli *cli, tn_str env, tn_cli_place *ret, tn_err *err)
{
    tn_cli_place out = { .lake = cli->lake, .env = env };
    if ((out.lake.n == 0 || out.env.n == 0) && project_here(cli)) {
        tn_project_opts po = { .project_dir = cli->project_dir,
            .profiles_dir = cli->profiles_dir,
            .profile = cli->profile,
            .target = cli->target,
            .invocation_args = TN_VAL_UNDEF,
            .profile_only = true };
        tn_project *project = NULL;
        tn_rc rc = tn_project_load(cli->arena, &po, &project, err);
        if (rc == TN_OK) {
            take_profile(cli, &project->profile, &out);
        } else if (out.lake.n == 0) {
            return tn_hint(err, rc,
                "the project's profile names the lake; --lake or TARN_LAKE does without it");
        } else {
            tn_err_clear(
                err); /* the lake is given, and the profile of a project that cannot be read has no say */
        }
    }
    if (out.env.n == 0) {
        out.env = TN_STR("prod");
    }
    *ret = out;
    return TN_OK;
}

tn_rc tn_cli_need_lake(const tn_cli_place *p, tn_err *err)
{
    if (p->lake.n > 0) {
        return TN_OK;
    }
    tn_rc rc = tn_fail(err, TN_E_USAGE, "no lake is given");
    return tn_hint(err, rc,
        "use --lake FOLDER, or set TARN_LAKE, or run inside a project whose profile has 'type: "
        "tarn'");
}

/* What the layers below warn of: a view that is left out of the catalog. */
static void show_warning(void *self, tn_log_level level, const char *module, tn_str msg)
{
    (void)level, (void)module;
    tn_cli_warn(self, TN_STR_FMT, TN_STR_ARG(msg));
}

tn_rc tn_cli_open_lake(
    const tn_cli *cli, tn_str url, tn_val storage, bool create, tn_lake **ret, tn_err *err)
{
    tn_log_set(show_warning, (void *)(uintptr_t)cli, TN_LOG_WARN);
    tn_lake_opts lo = { .storage = storage, .create = create };
    return tn_lake_open(url, &lo, ret, err);
}

/* ---- a session ---- */

tn_rc tn_cli_open_duck(const tn_cli *cli, tn_duck **ret_duck, tn_conn **ret_conn, tn_err *err)
{
    tn_duck_opts o = {
        .threads = (int)cli->threads, .memory_limit = cli->memory_limit, .config = TN_VAL_UNDEF
    };
    TN_AUTOPTR(tn_duck) duck = NULL;
    TN_AUTOPTR(tn_conn) conn = NULL;
    TN_TRY(tn_duck_open(&o, &duck, err));
    TN_TRY(tn_duck_connect(duck, &conn, err));
    TN_TRY(tn_conn_set(conn, "TimeZone", tn_val_z("UTC"), true, err));
    *ret_conn = TN_TAKE(conn);
    *ret_duck = TN_TAKE(duck);
    return TN_OK;
}

/* ---- numbers for people ---- */

tn_str tn_cli_count(tn_arena *a, int64_t n)
{
    tn_str digits = tn_str_printf(a, "%lld", (long long)n);
    tn_buf b = tn_buf_init(a, 64);
    for (size_t i = 0; i < digits.n; i++) {
        bool group = i > 0 && (digits.n - i) % 3 == 0 && digits.p[i - 1] != '-';
        tn_buf_addz(&b, group ? "," : "");
        tn_buf_addc(&b, digits.p[i]);
    }
    return tn_buf_str(&b);
}

tn_str tn_cli_bytes(tn_arena *a, int64_t n)
{
    static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB", "PB" };
    double v = (double)n;
    size_t u = 0;
    while (v >= 1000 && u + 1 < TN_COUNTOF(units)) {
        v /= 1000;
        u++;
    }
    return tn_str_printf(a, u == 0 ? "%.0f %s" : "%.1f %s", v, units[u]);
}

tn_str tn_cli_instant(tn_arena *a, int64_t ms)
{
    tn_buf b = tn_buf_init(a, 64);
    tn_iso_micros(&b, ms * 1000, 0, ' ', "");
    return tn_buf_str(&b);
}

void tn_cli_print_json(const tn_cli *cli, tn_val v)
{
    tn_buf b = tn_buf_init(cli->arena, JSON_BYTES_MAX);
    tn_json_style style = { .indent = 2 };
    tn_json_print(&b, v, &style);
    tn_str s = tn_buf_str(&b);
    fwrite(s.p, 1, s.n, stdout);
    fputc('\n', stdout);
}

bool tn_cli_output_json(const tn_cli *cli, const char *command, tn_str output, bool *ret_json)
{
    *ret_json = tn_str_is(output, "json");
    if (output.n > 0 && !*ret_json && !tn_str_is(output, "text")) {
        (void)tn_cli_usage_error(
            cli, command, "--output is text or json, not '" TN_STR_FMT "'", TN_STR_ARG(output));
        return false;
    }
    return true;
}

/* ---- watching ---- */

struct tn_cli_watch {
    tn_conn *conn;
    const char *title;
    const char *stage;
    tn_progress line;
    tn_mutex mutex;
    tn_cond wake;
    bool stop;
    tn_thread *thread;
    tn_arena *arena;
};

static void watch_loop(void *p)
{
    tn_cli_watch *w = p;
    tn_mutex_lock(&w->mutex);
    for (int ticks = 0; !w->stop; ticks++) {
        if (tn_interrupted()) {
            tn_conn_interrupt(w->conn);
        }
        double percent = tn_conn_progress(w->conn);
        if (ticks > 2 && percent >= 0) {
            tn_progress_show(&w->line, "%s: %s %.0f %%", w->title, w->stage, percent);
        } else if (ticks > 2) {
            tn_progress_show(&w->line, "%s: %s", w->title, w->stage);
        }
        (void)tn_cond_wait_ms(&w->wake, &w->mutex, WATCH_EVERY_MS);
    }
    tn_mutex_unlock(&w->mutex);
}

tn_rc tn_cli_watch_start(
    const tn_cli *cli, tn_conn *conn, const char *title, bool show, tn_cli_watch **ret, tn_err *err)
{
    tn_arena *a = tn_arena_new("watch", NULL);
    tn_cli_watch *w = tn_new(a, tn_cli_watch);
    *w = (tn_cli_watch){ .conn = conn,
        .title = tn_arena_strdup(a, title),
        .stage = "running",
        .line = tn_progress_start(cli),
        .mutex = TN_MUTEX_INIT,
        .wake = TN_COND_INIT,
        .arena = a };
    w->line.on = w->line.on && show;
    tn_interrupt_install();
    tn_rc rc = w->line.on ? tn_conn_progress_on(conn, err) : TN_OK;
    rc = rc == TN_OK ? tn_thread_start(watch_loop, w, "watch", &w->thread, err) : rc;
    if (rc != TN_OK) {
        tn_arena_free(a);
        return rc;
    }
    *ret = w;
    return TN_OK;
}

void tn_cli_watch_stage(tn_cli_watch *w, const char *stage)
{
    TN_LOCKED(&w->mutex);
    w->stage = stage;
}

void tn_cli_watch_stop(tn_cli_watch *w)
{
    if (w == NULL) {
        return;
    }
    tn_mutex_lock(&w->mutex);
    w->stop = true;
    tn_cond_signal(&w->wake);
    tn_mutex_unlock(&w->mutex);
    tn_thread_join(w->thread);
    tn_progress_end(&w->line);
    tn_arena_free(w->arena);
}
