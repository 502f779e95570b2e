/* glob.h: wildcard matching on text (no disk). */
#ifndef TN_TEXT_GLOB_H
#define TN_TEXT_GLOB_H

#include "base/str.h"

bool tn_fnmatch(
    tn_str pattern, tn_str s); /* Python's fnmatchcase: * ? [..] [!..]; '*' crosses '/' */
bool tn_pathmatch(tn_str pattern, tn_str s); /* '*' and '?' stop at '/', '**' crosses */
bool tn_glob_has_magic(tn_str s);

#endif
