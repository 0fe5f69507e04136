/*  error.h - what went wrong, in a code and in words
 *
 *  The code travels as a return value; the words wait in thread-local storage
 *  for weft_error (). So any function, however low, can explain itself. */

#ifndef WEFT_CORE_ERROR_H
#define WEFT_CORE_ERROR_H

#include "weft.h"

/*  For what does not happen at every message: keeps it, and the registers that it needs,
 *  out of the way of what does. COLD is for failures alone: their code is made small, not fast. */
#define OUT_OF_LINE __attribute__ ((noinline))
#define COLD __attribute__ ((cold))

/*  Keep the words for weft_error () and return `code`:
 *      return error_set (WEFT_EINVAL, "%s: not a number", text);
 *  The words say what was wrong and, where it is not plain, what to do; no
 *  newline, no capital, no full stop. An argument may be weft_error () itself. */
int error_set (int code, const char *format, ...) WEFT_PRINTF (2, 3) COLD;

/*  The same without words of its own: cheap, for what is expected (WEFT_EAGAIN). */
int error_plain (int code) COLD;

/*  The same for a failed system call: adds errno's words and chooses the code
 *  (EACCES, EADDRINUSE, EMFILE, ... WEFT_EIO for the rest). */
int error_errno (const char *format, ...) WEFT_PRINTF (1, 2) COLD;

#endif
