/*  error.c - the words of the last failure, kept a thread */

#include "core/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 1024 };

static _Thread_local struct {
    int code;
    char text[TEXT_MAX];        /*  empty: the fixed sentence of the code is all there is to say */
} last;

const char *
weft_strerror (int error)
{
    switch (error) {
    case 0: return "no error";
    case WEFT_EAGAIN: return "nothing is ready now";
    case WEFT_ETIMEOUT: return "the time allowed has passed";
    case WEFT_EINTR: return "interrupted by a signal";
    case WEFT_EINVAL: return "not acceptable";
    case WEFT_ENOMEM: return "out of memory";
    case WEFT_ESTATE: return "not possible in this state";
    case WEFT_EENDPOINT: return "malformed endpoint";
    case WEFT_ERESOLVE: return "the name does not resolve";
    case WEFT_EADDRINUSE: return "address already in use";
    case WEFT_EADDR: return "address not available";
    case WEFT_EACCES: return "permission denied";
    case WEFT_ENOPEER: return "no peer";
    case WEFT_EPEER: return "the peer does not fit";
    case WEFT_ETOOBIG: return "larger than the limit";
    case WEFT_EPROTO: return "malformed data";
    case WEFT_ENOTSUP: return "not supported";
    case WEFT_ELIMIT: return "out of descriptors or slots";
    case WEFT_EIO: return "the system refused";
    case WEFT_ETERM: return "stopped";
    case WEFT_EEND: return "end of stream";
    default: return "unknown error";
    }
}

const char *
weft_error (void)
{
    return last.text[0] ? last.text : weft_strerror (last.code);
}

int
error_plain (int code)
{
    last.code = code;
    last.text[0] = '\0';
    return code;
}

static int
set_text (int code, const char *format, va_list arguments)
{
    char text[TEXT_MAX];        /*  an argument may be last.text itself */
    vsnprintf (text, sizeof text, format, arguments);
    last.code = code;
    memcpy (last.text, text, strlen (text) + 1);
    return code;
}

int
error_set (int code, const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    set_text (code, format, arguments);
    va_end (arguments);
    return code;
}

static int
errno_code (int number)
{
    switch (number) {
    case EACCES:
    case EPERM: return WEFT_EACCES;
    case EADDRINUSE: return WEFT_EADDRINUSE;
    case EADDRNOTAVAIL:
    case ENODEV:
    case ENETUNREACH:
    case EHOSTUNREACH: return WEFT_EADDR;
    case EMFILE:
    case ENFILE: return WEFT_ELIMIT;
    case ENOMEM: return WEFT_ENOMEM;
    case EINTR: return WEFT_EINTR;
    case EINVAL: return WEFT_EINVAL;
    default: return WEFT_EIO;
    }
}

int
error_errno (const char *format, ...)
{
    int number = errno;
    char what[TEXT_MAX / 2], words[128];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (what, sizeof what, format, arguments);
    va_end (arguments);
    return error_set (errno_code (number), "%s: %s", what, strerror_r (number, words, sizeof words));
}
