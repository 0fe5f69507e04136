/*  sender.c - weft push and weft pub: from the source to the socket */

#include "cli/sender.h"

#include <string.h>

#include "core/error.h"

static int
send_to_topics (struct session *session, weft_msg_t *msg, const struct option_list *topics)
{
    weft_msg_t copy;
    int rc = 0;
    if (!topics || topics->count == 0)
        return session_send (session, msg);
    weft_msg_init (&copy);
    for (size_t i = 0; i < topics->count && rc == 0; i++) {
        rc = weft_msg_copy (&copy, msg);
        if (rc == 0)
            rc = weft_msg_push (&copy, topics->items[i], strlen (topics->items[i]));
        if (rc == 0)
            rc = session_send (session, &copy);
    }
    weft_msg_clear (&copy);
    return rc;
}

/*  Brings more input, or time; 0, or an error. */
static int
sender_wait (struct session *session, struct source *source)
{
    int ready = session_wait (session, 0, source->hungry, source_due (source));
    if (ready < 0)
        return ready;
    if (ready & SESSION_STOP)
        source_stop (source);
    else if (ready & SESSION_INPUT)
        return source_fill (source);
    return 0;
}

/*  What an error in the middle leaves behind. */
static int
sender_fail (struct session *session, struct source *source, int error)
{
    char why[512];
    snprintf (why, sizeof why, "%s", weft_error ());
    counter_add (&session->lost, 1 + source_abandon (source));
    if (error == WEFT_ETERM)
        return EXIT_LOSS;
    error_set (error, "%s", why);
    return cli_fail (session->cli, error, NULL);
}

int
sender_run (struct session *session, const struct source_config *config, const struct option_list *topics)
{
    struct source source;
    weft_msg_t msg;
    int rc, status = EXIT_OK;
    source_init (&source, session->cli, config, &session->formats, session->socket->config.max_size);
    weft_msg_init (&msg);
    for (;;) {
        rc = source_next (&source, &msg);
        if (rc == 0)
            rc = sender_wait (session, &source);
        else if (rc == 1 && (rc = send_to_topics (session, &msg, topics)) < 0) {
            status = sender_fail (session, &source, rc);
            break;
        }
        if (rc < 0)
            break;
        if (session_stopped (session) && !source.stopped)
            source_stop (&source);
    }
    if (status == EXIT_OK)
        status = rc == WEFT_EEND ? source_status (&source) : cli_fail (session->cli, rc, NULL);
    weft_msg_clear (&msg);
    source_free (&source);
    return session_finish (session, status);
}
