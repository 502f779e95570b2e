/* store_s3_list.c: listing, page by page (ListObjectsV2). Names come percent-encoded, so that any byte survives XML. */
#include <stdlib.h>

#include "store/store_s3_impl.h"
#include "store/store_s3_xml.h"
#include "text/timetext.h"
#include "text/uri.h"

enum { PAGE_MAX = 1000, PAGE_BYTES_MAX = 64 << 20, PAGES_MAX = 1000000 };

typedef struct page {
    s3_store *s;
    tn_arena *a;
    const tn_store_list_opts *opts;
    tn_store_items *items;
    tn_store_item item; /* being read */
    bool encoded, truncated;
    tn_str next;
} page;

/* "a+b%2Fc" -> "a b/c": servers write a blank as '+', and a plus as %2B. */
static tn_rc plain(page *p, tn_str text, tn_str *ret, tn_err *err)
{
    if (!p->encoded) {
        *ret = text;
        return TN_OK;
    }
    return tn_percent_decode(p->a, tn_str_replace(p->a, text, TN_STR("+"), TN_STR(" ")), ret, err);
}

static tn_rc finish_item(page *p, bool is_prefix, tn_err *err)
{
    tn_str key;
    TN_TRY(plain(p, p->item.key, &key, err));
    tn_store_item item = p->item;
    p->item = (tn_store_item){ .key = TN_STR_NONE };
    if (!tn_str_starts(key, p->s->dir)) {
        return tn_fail(err, TN_E_CORRUPT,
            "the listing names '" TN_STR_FMT "', which was not asked for", TN_STR_ARG(key));
    }
    item.key = tn_str_sub(key, p->s->dir.n, key.n);
    item.is_prefix = is_prefix;
    /* An object whose name ends in a slash is a console's idea of a folder. */
    bool folder_mark = !is_prefix && (item.key.n == 0 || item.key.p[item.key.n - 1] == '/');
    if (!folder_mark && tn_str_cmp(item.key, p->opts->start_after) > 0) {
        tn_vec_push(p->items, p->a, item);
    }
    return TN_OK;
}

static tn_rc contents_leaf(page *p, tn_str name, tn_str text, tn_err *err)
{
    bool zone;
    int offset;
    if (tn_str_is(name, "Key")) {
        p->item.key = text;
    } else if (tn_str_is(name, "Size")) {
        if (!tn_str_to_i64(text, &p->item.size) || p->item.size < 0) {
            return tn_fail(
                err, TN_E_CORRUPT, "the listing has a size of '" TN_STR_FMT "'", TN_STR_ARG(text));
        }
    } else if (tn_str_is(name, "LastModified")) {
        if (!tn_parse_timestamp(text, &p->item.mtime_us, &zone, &offset)) {
            p->item.mtime_us = 0;
        }
    } else if (tn_str_is(name, "ETag")) {
        p->item.etag = text;
    }
    return TN_OK;
}

static tn_rc on_leaf(void *self, const tn_str *path, size_t depth, tn_str text, tn_err *err)
{
    page *p = self;
    if (depth == 1 && !tn_str_is(path[0], "ListBucketResult")) {
        return tn_fail(
            err, TN_E_CORRUPT, "the answer to a listing is '" TN_STR_FMT "'", TN_STR_ARG(path[0]));
    }
    if (depth == 2) {
        if (tn_str_is(path[1], "IsTruncated")) {
            p->truncated = tn_str_is(text, "true");
        } else if (tn_str_is(path[1], "NextContinuationToken")) {
            p->next = text;
        } else if (tn_str_is(path[1], "Contents")) {
            return finish_item(p, false, err);
        } else if (tn_str_is(path[1], "CommonPrefixes")) {
            return finish_item(p, true, err);
        }
    } else if (depth == 3 && tn_str_is(path[1], "Contents")) {
        return contents_leaf(p, path[2], text, err);
    } else if (depth == 3 && tn_str_is(path[1], "CommonPrefixes") && tn_str_is(path[2], "Prefix")) {
        p->item.key = text;
    }
    return TN_OK;
}

static tn_rc encoding_leaf(void *self, const tn_str *path, size_t depth, tn_str text, tn_err *err)
{
    (void)err;
    if (depth == 2 && tn_str_is(path[1], "EncodingType")) {
        *(bool *)self = tn_str_is(text, "url");
    }
    return TN_OK;
}

tn_rc s3_check_listing(s3_store *s, tn_arena *a, const tn_http_response *r, tn_err *err)
{
    if (r->status != 200) {
        return s3_fail(s, a, r, TN_STR_NONE, err);
    }
    bool is_listing = tn_str_find(r->body, TN_STR("<ListBucketResult"), 0) != SIZE_MAX;
    return is_listing ? TN_OK : s3_fail_stranger(s, a, r->status, err);
}

static tn_rc list_page(page *p, tn_str token, tn_err *err)
{
    s3_store *s = p->s;
    tn_arena *a = p->a;
    s3_call call = { .method = "GET", .key = TN_STR_NONE, .bytes_max = PAGE_BYTES_MAX };
    size_t want = p->opts->items_max;
    s3_pair(a, &call.query, "list-type", TN_STR("2"));
    s3_pair(a, &call.query, "encoding-type", TN_STR("url"));
    s3_pair(a, &call.query, "max-keys",
        tn_str_printf(a, "%zu", want > 0 && want < PAGE_MAX ? want + 1 : (size_t)PAGE_MAX));
    s3_pair(a, &call.query, "prefix", s3_full_key(s, a, p->opts->prefix));
    if (!p->opts->flat) {
        s3_pair(a, &call.query, "delimiter", TN_STR("/"));
    }
    if (p->opts->start_after.n > 0) {
        s3_pair(a, &call.query, "start-after", s3_full_key(s, a, p->opts->start_after));
    }
    if (token.n > 0) {
        s3_pair(a, &call.query, "continuation-token", token);
    }
    tn_http_response r;
    TN_TRY(s3_send(s, a, &call, &r, err));
    TN_TRY(s3_check_listing(s, a, &r, err));
    p->truncated = p->encoded = false;
    p->next = TN_STR_NONE;
    TN_TRY(s3_xml_walk(a, r.body, encoding_leaf, &p->encoded, err)); /* it may stand last */
    return s3_xml_walk(a, r.body, on_leaf, p, err);
}

static int by_key(const void *x, const void *y)
{
    return tn_str_cmp(((const tn_store_item *)x)->key, ((const tn_store_item *)y)->key);
}

tn_rc s3_list(
    tn_store *store, tn_arena *a, const tn_store_list_opts *opts, tn_store_items *ret, tn_err *err)
{
    tn_store_items items = { .v = NULL };
    page p = { .s = (s3_store *)store, .a = a, .opts = opts, .items = &items };
    tn_str token = TN_STR_NONE;
    for (int n = 0;; n++) {
        tn_rc rc = list_page(&p, token, err);
        if (rc != TN_OK) {
            return tn_while(err, rc, "listing 's3://" TN_STR_FMT "/" TN_STR_FMT "'",
                TN_STR_ARG(p.s->config.bucket), TN_STR_ARG(s3_full_key(p.s, a, opts->prefix)));
        }
        bool enough = opts->items_max > 0 && items.n >= opts->items_max;
        if (!p.truncated || enough) {
            break;
        }
        if (p.next.n == 0 || tn_str_eq(p.next, token) || n >= PAGES_MAX) {
            return tn_fail(err, TN_E_CORRUPT, "the listing of '" TN_STR_FMT "' does not go on",
                TN_STR_ARG(p.s->config.bucket));
        }
        token = p.next;
    }
    if (items.n > 1) {
        qsort(items.v, items.n, sizeof *items.v, by_key); /* folders come apart from objects */
    }
    *ret = items;
    return TN_OK;
}
