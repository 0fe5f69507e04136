/*  key.h - the parts of weft key among themselves
 *
 *  key.c        the command and its verbs
 *  key_own.c    new, show: key pairs as files
 *  key_peers.c  allow, revoke, list: who may connect */
#ifndef WEFT_CLI_KEY_H
#define WEFT_CLI_KEY_H

#include "cli/command.h"
#include "core/buffer.h"

struct key_options {
    struct option_list what;        /*  --for                                           */
    char *file;
    char *allow;
    bool public;
    bool replace;
    bool json;
};

/*  A verb: what it does with its operands; its exit status. */
typedef int (key_verb_fn) (struct cli *cli, const struct key_options *options, char **operands, int count);
key_verb_fn key_new, key_show, key_allow, key_revoke, key_list;

/*  Adds "name":"text", after a comma or, when it is the first, a brace. What is no UTF-8 becomes question marks. */
int key_add_member (struct buffer *out, const char *name, const char *text);

/*  Writes what is in `out`; the exit status. */
int key_write (struct cli *cli, int rc, struct buffer *out);

#endif
