/*  ws_parts.h - what the files of the WebSocket adapter share; nobody else includes it */
#ifndef WEFT_ADAPTERS_WS_PARTS_H
#define WEFT_ADAPTERS_WS_PARTS_H

#include "adapters/adapter.h"
#include "codec/http.h"
#include "codec/websocket.h"
#include "codec/websocket_handshake.h"

#define WS_ANSWER_BODY 65536        /*  bytes of a server's refusal that are read                       */
#define WS_HANDSHAKE (10 * TIME_S)  /*  for the other side's part of it                                 */
#define WS_RANDOM 4096              /*  bytes that are asked of the system at once, for masks           */

enum ws_compress { WS_COMPRESS_NO, WS_COMPRESS_YES, WS_COMPRESS_CONTEXT };

struct ws_config {
    struct option_list subprotocols, origins;
    int64_t ping;
    bool binary;
    int compress;                   /*  enum ws_compress                                                */
    int64_t compress_min, compress_window;
    char *error_reply;
    bool page;

    size_t max_size;
    struct deflater *deflater;      /*  of all peers to which what was sent is forgotten ...            */
    struct inflater *inflater;      /*  ... and of all who forget                                       */
    struct buffer plain, packed;    /*  the last message that `deflater` had, and what it made of it    */
    struct buffer joined;           /*  of a message of many frames; what is masked                     */
    unsigned char random[WS_RANDOM];
    size_t random_left;
};

enum ws_state {
    WS_REQUEST,                     /*  a server that waits for the client's request                    */
    WS_ANSWER,                      /*  a client that waits for the server's answer                     */
    WS_OPEN,
    WS_CLOSING,                     /*  our Close is written: nothing more is                           */
};

struct ws_peer {
    enum ws_state state;
    bool client;                    /*  we are                                                          */
    bool gives;                     /*  its path takes no messages of it                                */
    bool asked;                     /*  a Ping has no answer yet                                        */
    bool heard;                     /*  since the timer was last set                                    */
    struct websocket_decoder decoder;
    struct deflate_terms terms;
    struct deflater *deflater;      /*  the peer's own, or the one of all; NULL: nothing is compressed  */
    struct inflater *inflater;      /*  its own                                                         */
    struct http_text topic;         /*  of what it publishes; data: owned                               */
    struct ws_greeting *greeting;   /*  NULL: it is over                                                */
};

/*  Until both have agreed. ws_greet.c: a client's side of the handshake; ws_accept.c: the other one. */
struct ws_greeting {
    struct http_reader reader;
    char key[WEBSOCKET_KEY];
};
/*  Of "ws://HOST:PORT/PATH", wss://... or an address alone; *tls as adapter->dial has it. */
void ws_dialled_parts (const char *text, struct http_text *address, const char **target, bool *tls);
int ws_greet (struct bridge_peer *peer);
int64_t ws_read_answer (struct bridge_peer *peer, const unsigned char *data, size_t size);
void ws_end_greeting (struct ws_peer *self);
int ws_accept (struct bridge_peer *peer, const struct http_request *request);
int64_t ws_read_request (struct bridge_peer *peer, const unsigned char *data, size_t size);

/*  ws.c: both sides have agreed. */
int ws_begin (struct bridge_peer *peer, const struct deflate_terms *terms);
bool ws_forgets (const struct bridge_peer *peer);       /*  are messages compressed each on its own?    */

/*  ws_control.c. Bytes that nobody can guess; of a client: masks what the part has, which lies elsewhere then. */
int ws_random (struct ws_config *config, void *data, size_t size);
int ws_mask (struct bridge_peer *peer, unsigned char key[4], struct stream_part *part);
int ws_write_control (struct bridge_peer *peer, enum websocket_opcode opcode, const void *data, size_t size);

/*  Our Close; what comes after it is nobody's. And one for an error that was explained: the log is told, too. */
void ws_write_close (struct bridge_peer *peer, unsigned code, const char *reason);
void ws_break_off (struct bridge_peer *peer, unsigned code, int error);

/*  From now on the peer is listened for; and these of the contract. */
void ws_set_timer (struct bridge_peer *peer);
void ws_on_timer (struct bridge_peer *peer);
void ws_ending (struct bridge_peer *peer);

/*  ws_path.c: takes part in the modes that the path stands for. WEFT_EENDPOINT: there is no such path or mode; other
 *  errors tell what is wrong with the query. */
int ws_route (struct bridge_peer *peer, const struct http_request *request);

/*  ws_page.c: a page to talk with, and who gets it. */
bool ws_wants_page (const struct ws_config *config, const struct http_request *request);
void ws_page (struct http_response *response);

/*  ws_origin.c: may a page of this origin connect to what it called `host`? By `list`, or by itself when that is empty.
 *  WEFT_EACCES says why not, and what to do. */
int ws_origin_check (const struct option_list *list, struct http_text origin, struct http_text host);

/*  Is what is in the list an origin each, or *? WEFT_EINVAL. */
int ws_origins_check (const struct option_list *list);

#endif
