/* http_script.h: a server on loopback that answers requests from a list, one after another; for tests of what clients do about it. */
#ifndef TN_TEST_HTTP_SCRIPT_H
#define TN_TEST_HTTP_SCRIPT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/thread.h"

#define SCRIPT_RESET "reset" /* the connection is cut instead of an answer */
enum { SCRIPT_REQUESTS_MAX = 64, SCRIPT_REQUEST_BYTES = 16384 };

typedef struct script_server {
    int listener, port;
    const char *const
        *answers; /* raw HTTP; NULL ends the list: the last one is given again and again */
    char *requests[SCRIPT_REQUESTS_MAX];
    int seen, connections;
    tn_thread *thread;
} script_server;

static int script_body_bytes(const char *head)
{
    const char *at = strcasestr(head, "\r\ncontent-length:");
    return at == NULL ? 0 : (int)strtol(at + 17, NULL, 10);
}

/* One request into buf; false at the end of the connection. */
static bool script_read(int fd, char *buf)
{
    size_t n = 0;
    for (;;) {
        ssize_t got = recv(fd, buf + n, SCRIPT_REQUEST_BYTES - 1 - n, 0);
        if (got <= 0) {
            return false;
        }
        n += (size_t)got;
        buf[n] = '\0';
        const char *end = strstr(buf, "\r\n\r\n");
        if (end != NULL && n >= (size_t)(end + 4 - buf) + (size_t)script_body_bytes(buf)) {
            return true;
        }
    }
}

static bool script_answer(script_server *s, int fd)
{
    char buf[SCRIPT_REQUEST_BYTES];
    if (!script_read(fd, buf) || s->seen == SCRIPT_REQUESTS_MAX) {
        return false;
    }
    int i = 0;
    while (i < s->seen && s->answers[i + 1] != NULL) {
        i++;
    }
    s->requests[s->seen++] = strdup(buf);
    const char *answer = s->answers[i];
    if (strcmp(answer, SCRIPT_RESET) == 0) {
        struct linger cut = { .l_onoff = 1 };
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &cut, sizeof cut);
        return false;
    }
    return send(fd, answer, strlen(answer), MSG_NOSIGNAL) == (ssize_t)strlen(answer);
}

static void script_run(void *p)
{
    script_server *s = p;
    int fd;
    while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
        s->connections++;
        while (script_answer(s, fd)) {
        }
        close(fd);
    }
}

static TN_UNUSED void script_start(script_server *s, const char *const *answers)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;
    *s = (script_server){ .answers = answers, .listener = socket(AF_INET, SOCK_STREAM, 0) };
    TN_CHECK(s->listener >= 0 && bind(s->listener, (struct sockaddr *)&at, n) == 0);
    TN_CHECK(listen(s->listener, 8) == 0);
    TN_CHECK(getsockname(s->listener, (struct sockaddr *)&at, &n) == 0);
    s->port = ntohs(at.sin_port);
    TN_CHECK(tn_thread_start(script_run, s, "script", &s->thread, NULL) == TN_OK);
}

static TN_UNUSED void script_stop(script_server *s) /* the client is closed before */
{
    shutdown(s->listener, SHUT_RDWR);
    tn_thread_join(s->thread);
    close(s->listener);
    for (int i = 0; i < s->seen; i++) {
        free(s->requests[i]);
    }
}

#endif
