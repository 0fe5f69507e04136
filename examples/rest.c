/*  rest.c - a REST service: a list of notes. weft bridge speaks HTTP for it:
 *
 *      rest [ENDPOINT] &           default tcp://127.0.0.1:5555
 *      weft bridge http --listen 127.0.0.1:8080 --req tcp://127.0.0.1:5555 --as frames --mount /=req &
 *      curl -d 'buy milk' http://127.0.0.1:8080/notes
 *      curl http://127.0.0.1:8080/notes/1 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft.h>

#define NOTES 1000

static char *notes[NOTES];

static int
frame_is (const weft_msg_t *msg, size_t frame, const char *text)
{
    size_t size = weft_msg_size (msg, frame);
    return size == strlen (text) && memcmp (weft_msg_data (msg, frame), text, size) == 0;
}

/*  The number of the note at a path "/notes/12" that is there; 0: none. */
static int
note_of (const weft_msg_t *msg)
{
    char path[32];
    snprintf (path, sizeof path, "%.*s", (int) weft_msg_size (msg, 1), (const char *) weft_msg_data (msg, 1));
    int number = strncmp (path, "/notes/", 7) == 0 ? atoi (path + 7) : 0;
    return number > 0 && number < NOTES && notes[number] ? number : 0;
}

/*  Frames of a request: method, path, query, headers, body; of a reply: status, headers, body. */
static void
answer (weft_msg_t *msg)
{
    char headers[64] = "";
    const char *status = "404", *body = "";
    int number = note_of (msg), all = frame_is (msg, 1, "/notes");
    if (all && frame_is (msg, 0, "POST")) {
        for (number = 1; number < NOTES && notes[number]; number++)
            ;
        if (number < NOTES)
            notes[number] = strndup (weft_msg_data (msg, 4), weft_msg_size (msg, 4));
        status = number < NOTES ? "201" : "507";
        snprintf (headers, sizeof headers, "Location: /notes/%d\n", number);
    } else if (number && frame_is (msg, 0, "GET")) {
        status = "200";
        body = notes[number];
    } else if (number && frame_is (msg, 0, "DELETE")) {
        status = "204";
        free (notes[number]);
        notes[number] = NULL;
    } else if (number || all)
        status = "405";
    weft_msg_clear (msg);
    weft_msg_add (msg, status, 3);
    weft_msg_add_str (msg, headers);
    weft_msg_add_str (msg, body);
}

int
main (int argc, char **argv)
{
    weft_t *weft = weft_new ();
    weft_socket_t *rep = weft_open (weft, "rep");
    if (weft_attach (rep, argc > 1 ? argv[1] : "tcp://127.0.0.1:5555")) {
        fprintf (stderr, "rest: %s\n", weft_error ());
        return 1;
    }
    printf ("listening on %s\n", weft_endpoint (rep));
    fflush (stdout);

    weft_msg_t msg;
    weft_msg_init (&msg);
    while (weft_recv (rep, &msg, 0) == 0) {
        answer (&msg);
        if (weft_send (rep, &msg, 0))
            break;
    }
    fprintf (stderr, "rest: %s\n", weft_error ());
    weft_msg_clear (&msg);
    weft_close (&rep);
    weft_destroy (&weft);
    return 1;
}
