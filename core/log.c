/*  log.c - one event, one line, through the context's function */

#include "core/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOG_LINE 1024

static _Thread_local void *current_owner;

void *
log_owner (void)
{
    return current_owner;
}

void
log_set_owner (void *owner)
{
    current_owner = owner;
}

/*  Texts may come from a peer or a file: they must not forge lines or steer a terminal. */
static void
make_printable (char *text)
{
    for (; *text; text++)
        if ((unsigned char) *text < ' ' || *text == 127)
            *text = '?';
}

void
log_write (const struct log *self, int level, const char *format, ...)
{
    if (!self->fn)
        return;
    int saved_errno = errno;
    char line[LOG_LINE];
    va_list args;
    va_start (args, format);
    int size = vsnprintf (line, sizeof line, format, args);
    va_end (args);
    if (size >= (int) sizeof line)
        memcpy (line + sizeof line - 4, "...", 4);
    if (size >= 0) {
        make_printable (line);
        self->fn (self->arg, level, line);
    }
    errno = saved_errno;
}
