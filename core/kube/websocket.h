/* The opening handshake of RFC 6455, client side. Pure: bytes in, bytes out. */
#ifndef STINT_KUBE_WEBSOCKET_H
#define STINT_KUBE_WEBSOCKET_H

#include <stint/base.h>

enum {
	KUBE_WEBSOCKET_KEY_SIZE = 25,
	KUBE_WEBSOCKET_MAX_HEADER_BYTES = 32 * 1024,
	KUBE_WEBSOCKET_MAX_BODY_BYTES = 64 * 1024,
};

/* A fresh Sec-WebSocket-Key. */
void kube_websocket_key(char out[static KUBE_WEBSOCKET_KEY_SIZE]);
/* The Sec-WebSocket-Accept that belongs to key; freed by the caller. */
char *kube_websocket_accept(const char *key);

/* What the server said to the upgrade. */
struct kube_websocket_answer {
	int status; /* 101, or the status of its refusal */
	char *protocol; /* the subprotocol it chose; NULL */
	char *body; /* of a refusal */
	size_t consumed; /* bytes of the answer; what follows are frames */
};
enum kube_websocket_parse { KUBE_WEBSOCKET_MORE, KUBE_WEBSOCKET_DONE, KUBE_WEBSOCKET_BAD };
/*
 * Reads what has arrived so far; at_end: nothing more comes. BAD with err: it is no HTTP/1.1 answer, is too long, or a 101 that does not
 * prove it understood (RFC 6455 section 4.1). A refusal is DONE once its body is complete.
 */
enum kube_websocket_parse kube_websocket_parse(
	const char *data, size_t length, bool at_end, const char *key, struct kube_websocket_answer *out, struct stint_error **err);
void kube_websocket_answer_free(struct kube_websocket_answer *answer); /* its contents */

#endif
