/*  utf8.h - is this text UTF-8 (RFC 3629)?
 *
 *  In as many parts as one likes; a part may end within a character. What no more bytes could mend is told at once. */
#ifndef WEFT_CODEC_UTF8_H
#define WEFT_CODEC_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*  How far a text is; all zero: at its start. */
struct utf8 {
    unsigned char need;             /*  bytes that the character still needs                        */
    unsigned char low, high;        /*  between these the next of them has to be                    */
};

/*  The next bytes. False: there is no such text, however it goes on. */
bool utf8_add (struct utf8 *self, const void *data, size_t size);

/*  May it end here? */
static inline bool
utf8_whole (const struct utf8 *self)
{
    return self->need == 0;
}

/*  All of it. */
bool utf8_valid (const void *data, size_t size);

#endif
