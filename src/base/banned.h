/* banned.h: names that no file of tarn may call.
 *
 * Each of them has a safe stand-in in base or os; the comment says which. Poisoning turns a slip into
 * a compile error.
 */
#ifndef TN_BASE_BANNED_H
#define TN_BASE_BANNED_H

/* The poison must come after the declarations. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets /* tn_buf, tn_str */
#pragma GCC poison atoi atol atof                             /* tn_str_to_i64, tn_str_to_f64 */
#pragma GCC poison localtime gmtime ctime asctime             /* text/time.h */

#endif
