/*  czmq_cert.c - certificates of CZMQ
 *
 *  czmq_cert load FILE                 writes NAME PUBLIC-KEY, when the secret key belongs to it
 *  czmq_cert save FILE NAME            writes FILE and FILE_secret, as zcert_save does; then the public key
 *  czmq_cert save-secret FILE NAME     writes FILE with both halves */

#include <czmq.h>

static int
load (const char *path)
{
    char public_key[41];
    zcert_t *cert = zcert_load (path);
    if (!cert || zmq_curve_public (public_key, zcert_secret_txt (cert)) || !streq (public_key, zcert_public_txt (cert)))
        return 1;
    printf ("%s %s\n", zcert_meta (cert, "name"), public_key);
    zcert_destroy (&cert);
    return 0;
}

static int
save (const char *path, const char *name, bool secret)
{
    zcert_t *cert = zcert_new ();
    zcert_set_meta (cert, "name", "%s", name);
    zcert_set_meta (cert, "quoted", "it's so # twice");
    int rc = secret ? zcert_save_secret (cert, path) : zcert_save (cert, path);
    printf ("%s\n", zcert_public_txt (cert));
    zcert_destroy (&cert);
    return rc;
}

int
main (int argc, char **argv)
{
    if (argc == 3 && streq (argv[1], "load"))
        return load (argv[2]);
    if (argc == 4 && streq (argv[1], "save"))
        return save (argv[2], argv[3], false);
    if (argc == 4 && streq (argv[1], "save-secret"))
        return save (argv[2], argv[3], true);
    return 2;
}
