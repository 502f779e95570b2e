/* serve_folder.h: a folder as a site over HTTP/1.1, for a look at documentation on one's own machine.
 *
 * GET and HEAD of regular files below the folder, nothing else: no listings, no names with a leading dot, no links that lead out. A path that
 * ends in '/' means its index.html. Every answer closes its connection. Not for the open net: there is no TLS and no login.
 */
#ifndef TN_SERVE_FOLDER_H
#define TN_SERVE_FOLDER_H

#include "os/listen.h"

/* The file that `target` of a request line ("/a/b.json?x=1") means, in the arena; false: none may be shown. */
bool tn_serve_path(tn_arena *a, tn_str folder, tn_str target, tn_str *ret);
/* Answers until Ctrl-C or SIGTERM (os/proc.h). */
tn_rc tn_serve_folder(const tn_listener *l, tn_str folder, tn_err *err) TN_MUSTUSE;

#endif
