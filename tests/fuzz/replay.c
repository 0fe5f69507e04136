/*  replay.c - gives the inputs of a folder to a fuzz target, once each
 *
 *  So that what the fuzzer found stays found, with any compiler and without it. */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

enum { INPUT_MAX = 1 << 20 };

static int
replay_file (const char *folder, const char *name)
{
    char path[4096];
    snprintf (path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen (path, "rb");
    uint8_t *data = malloc (INPUT_MAX);
    int rc = -1;
    if (file && data) {
        size_t size = fread (data, 1, INPUT_MAX, file);
        /*  In a block of its very size, so that a sanitizer sees the least step past the end. */
        uint8_t *exact = realloc (data, size ? size : 1);
        if (exact) {
            data = exact;
            rc = ferror (file) ? -1 : LLVMFuzzerTestOneInput (data, size);
        }
    }
    if (rc)
        fprintf (stderr, "replay: cannot replay %s\n", path);
    free (data);
    if (file)
        fclose (file);
    return rc;
}

int
main (int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir (argv[1]) : NULL;
    if (!folder) {
        fprintf (stderr, "replay: give a folder of inputs; there is none at %s\n", argc > 1 ? argv[1] : "\"\"");
        return 2;
    }
    int inputs = 0, failed = 0;
    for (const struct dirent *entry; (entry = readdir (folder));)
        if (entry->d_name[0] != '.') {
            inputs++;
            failed |= replay_file (argv[1], entry->d_name);
        }
    closedir (folder);
    printf ("%d inputs\n", inputs);
    return failed || inputs == 0;
}
