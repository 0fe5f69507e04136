/*  security.h - the options key, server-key, allow and insecure, and what they come to
 *
 *  Everything that opens a wire has these options: sockets, proxies, pools, workers, sinks. With a key all that it
 *  binds or connects over tcp and ipc speaks CURVE; without one all is clear text, which is only bound to what is
 *  this machine's own, unless `insecure`. inproc has no security, and needs none. */
#ifndef WEFT_CORE_SECURITY_H
#define WEFT_CORE_SECURITY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/endpoint.h"
#include "core/log.h"
#include "core/option.h"
#include "core/wire.h"

struct security_config {
    char *key;                  /*  key: NAME or FILE of our pair                               */
    char *server_key;           /*  server-key: KEY, NAME or FILE of whom we connect to         */
    char *allow;                /*  allow: FILE of those who may connect to us; by default `allowed`
                                    in the key directory                                        */
    bool insecure;              /*  insecure: clear text may be bound to a network              */
};
extern const struct option security_options[];

/*  Rows of another option table; `at` is the offset of the struct security_config there. */
#define OPTIONS_OF_SECURITY(at) \
    { "key", 0, OPTION_TEXT, "NAME|FILE", NULL, 0, 0, NULL, 0, (at) + offsetof (struct security_config, key), \
      "our key pair (weft key new NAME): encrypts, and says who we are" }, \
    { "server-key", 0, OPTION_TEXT, "KEY|NAME|FILE", NULL, 0, 0, NULL, 0, \
      (at) + offsetof (struct security_config, server_key), "public key of whom we connect to" }, \
    { "allow", 0, OPTION_TEXT, "FILE", NULL, 0, 0, NULL, 0, (at) + offsetof (struct security_config, allow), \
      "whose keys may connect to us; without it the list of weft key allow" }, \
    { "insecure", 0, OPTION_FLAG, NULL, "no", 0, 0, NULL, 0, (at) + offsetof (struct security_config, insecure), \
      "listen on a network in clear text: whoever reaches it can take part" }

/*  Loads keys and list into options->security, which security_unload frees once the wire is open: that has its own
 *  reference to the list then. `peers` is what those who connect to us do, as in allow.h ("sub"); a constant.
 *  A list that cannot be read lets nobody in, and is no error here: see security_listens. */
int security_load (const struct security_config *self, const char *peers, struct wire_options *options);
void security_unload (struct wire_options *options);

/*  Before a bind or connect, best before the wire is opened. WEFT_EACCES for a bind in clear text to what is not this
 *  machine's own, unless insecure, with words that say how to get keys; WEFT_EINVAL for options of which one
 *  is of no use without another: a connect with key but no server-key, or the other way round, a bind with allow but
 *  no key. */
int security_check (const struct security_config *self, const struct endpoint *endpoint);

/*  After a bind: says in the log when the list of peers lets nobody in, and why. */
void security_listens (const struct security_config *self, const struct endpoint *endpoint, const struct log *log);

#endif
