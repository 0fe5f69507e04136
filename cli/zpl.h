/*  zpl.h - files of sections and keys: ZPL (ZeroMQ RFC 4), with the line of everything
 *
 *      # a comment
 *      section
 *          key = value
 *          key = "a value with # or spaces at its end "
 *
 *  What stands deeper, by four spaces, belongs to what stands above it. CZMQ's zconfig reads it; but zconfig tells no
 *  lines, writes to standard output about a file that is wrong, cuts long lines and takes time for many. So the text is
 *  looked through before, and zconfig sees none that it could not read. */
#ifndef WEFT_CLI_ZPL_H
#define WEFT_CLI_ZPL_H

#include <stdbool.h>
#include <stddef.h>

#define ZPL_SIZE_MAX ((size_t) 1 << 20)     /*  bytes of a file                     */
#define ZPL_LINE_MAX 1024                   /*  bytes of a line, without its end    */
#define ZPL_ITEMS_MAX 10000                 /*  sections and keys of a file         */

struct zpl_item {
    int line;                   /*  from 1 on                                   */
    int level;                  /*  0 for what stands at the margin             */
    bool assigned;              /*  there is a =                                */
    char *name, *value;         /*  "" for no value                             */
};

/*  In the order of the file. */
struct zpl {
    struct zpl_item *items;
    size_t count;
};

/*  Something is wrong in a line. */
typedef void (zpl_wrong_fn) (void *arg, int line, const char *text);

/*  Parses text of `size` bytes. 0; or WEFT_EPROTO after each mistake was told; or WEFT_ENOMEM. */
int zpl_parse (struct zpl *self, const char *text, size_t size, zpl_wrong_fn *wrong, void *arg);
void zpl_free (struct zpl *self);

#endif
