/* What a server answers: a Status, and the handshake of a WebSocket. */
#include <stint/kube.h>

#include "core/kube/websocket.h"
#include "tests/fuzz/fuzz.h"

const char *const fuzz_seeds[] = {
	"{\"kind\":\"Status\",\"status\":\"Failure\",\"message\":\"m\",\"reason\":\"NotFound\",\"code\":404,\"details\":{"
	"\"retryAfterSeconds\":1,\"causes\":[{\"reason\":\"x\"}]}}",
	"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
	"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n\x82\x02\x01hi",
	"HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nno way",
	"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	NULL,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stint_error *err = NULL;
	stint_kube_status_error(&err, 400, (const char *)data, size);
	stint_error_clear(&err);
	for (int at_end = 0; at_end < 2; at_end++) {
		struct kube_websocket_answer answer = {0};
		if (kube_websocket_parse((const char *)data, size, at_end, "dGhlIHNhbXBsZSBub25jZQ==", &answer, &err) ==
			KUBE_WEBSOCKET_DONE)
			kube_websocket_answer_free(&answer);
		stint_error_clear(&err);
	}
	return 0;
}
