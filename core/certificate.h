/*  certificate.h - a CURVE key pair as a text file, and a key as text
 *
 *  Keys are 32 bytes, written as 40 characters of Z85 (RFC 32). A file is one that
 *  CZMQ's zcert reads and writes, in ZPL (RFC 4):
 *
 *      #  weft key. It holds a secret: keep it to yourself.
 *      metadata
 *          name = "alice"
 *          created = "2026-11-22T12:00:00Z"
 *      curve
 *          public-key = "..."
 *          secret-key = "..."
 *
 *  A public certificate is the same without the secret key. */
#ifndef WEFT_CORE_CERTIFICATE_H
#define WEFT_CORE_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buffer.h"

#define KEY_TEXT 41             /*  bytes of a key as text, with the NUL                        */
#define KEY_NAME_MAX 64         /*  letters, digits, . _ - ; does not begin with . or -         */
#define KEY_FINGERPRINT 30      /*  bytes of a fingerprint, with the NUL                        */
#define KEY_PATH_MAX 4096

struct certificate {
    char name[KEY_NAME_MAX + 1];        /*  "" when the file has none, or one that is none of ours */
    char public_key[KEY_TEXT];
    char secret_key[KEY_TEXT];          /*  "": a public certificate                            */
};

/*  A new pair. WEFT_EINVAL for a name that is none; WEFT_ENOTSUP without CURVE. */
int certificate_new (struct certificate *self, const char *name);

/*  Overwrites it: the secret shall not lie about in memory. What fails does this itself. */
void certificate_forget (struct certificate *self);

/*  Strict: a section, a value or a key that is not as it should be is WEFT_EPROTO with FILE:LINE;
 *  so is a secret key that does not belong to the public one. What is unknown below `metadata` is left alone. A
 *  file with a secret that others may read or write is WEFT_EACCES, and the words say chmod 600. A file of over
 *  64 KiB is refused unread. When PATH has no secret but PATH_secret is there, as zcert writes pairs, that is
 *  read instead. */
int certificate_load (struct certificate *self, const char *path);

/*  That file and no other: what needs no secret is not stopped by a PATH_secret that it may not read. */
int certificate_load_plain (struct certificate *self, const char *path);

/*  The text of a file, as above. */
int certificate_parse (struct certificate *self, const char *text, size_t size, const char *path);
int certificate_print (const struct certificate *self, bool secret, struct buffer *out);

/*  Writes a temporary name beside it, fsyncs, renames, fsyncs the directory: at any moment the file is
 *  whole or not there. Mode 0600, or 0644 without `secret`. WEFT_ESTATE when the file is there already and not
 *  `replace`. */
int certificate_save (const struct certificate *self, const char *path, bool secret, bool replace);

/*  Where keys live: $WEFT_KEYS, else $XDG_CONFIG_HOME/weft, else $HOME/.config/weft. Made, mode 0700, with
 *  `make`. WEFT_EACCES when others can write there. Below it: NAME.key, NAME.pub, and `allowed`, the list. */
int key_directory (char path[KEY_PATH_MAX], bool make);

/*  NAME and its ending in the key directory: ".key", ".pub"; or "allowed" and "". */
int key_path (char path[KEY_PATH_MAX], const char *name, const char *ending);

/*  What --key takes: NAME (in the key directory) or else FILE (has a slash, or is a file). Needs a secret. */
int certificate_find (struct certificate *self, const char *name_or_file);

/*  What --server-key takes: the 40 characters, FILE, or NAME (NAME.pub, NAME.key). */
int certificate_find_public (char key[KEY_TEXT], const char *text);

bool key_is_text (const char *text);            /*  40 characters of Z85                        */
bool key_is_name (const char *text);

/*  The first 80 bits as five proquints, for people to compare aloud: "lusab-babad-gutih-tugad-hobib".
 *  (arXiv:0901.4016; to find another key with the same one takes 2^80 tries.) */
void key_fingerprint (const char *public_key, char text[KEY_FINGERPRINT]);

/*  Of the engine's CURVE: core/wire_zmq_curve.c. */
int curve_keypair (char public_key[KEY_TEXT], char secret_key[KEY_TEXT]);
int curve_public (char public_key[KEY_TEXT], const char *secret_key);
void curve_decode (unsigned char bytes[32], const char *key);
void curve_encode (char key[KEY_TEXT], const unsigned char bytes[32]);

#endif
