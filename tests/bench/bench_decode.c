/*
 * What it costs to take in a large list of pods: splitting the stream into items and decoding each into the model, in process and
 * without a network. Prints one line per step: milliseconds, MB/s, and the memory of the model per pod. Times are processor time.
 *
 * usage: bench_decode [PODS [PIECE_BYTES]]      (13000 pods of 5 to 7 KB, pieces of 16 KiB as TLS records bring them)
 */
#include "tests/bench/pods.h"

#include <stint/model.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct sink {
	struct stint_model *model; /* NULL: only count */
	struct stint_object **objects;
	size_t count;
};

static bool on_item(void *user, const char *item, size_t length)
{
	static const struct stint_decode_as as = {.kind = STINT_KIND_POD};
	struct sink *sink = user;
	struct stint_error *err = NULL;
	struct stint_object *object = NULL;
	if (sink->model && !(object = stint_object_decode(sink->model, &as, item, length, &err))) {
		fprintf(stderr, "%s\n", err->message);
		return false;
	}
	sink->objects[sink->count++] = object;
	return true;
}

/* Time of our own on a processor: other programs on the machine do not count. */
static double cpu_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

static double feed(struct sink *sink, const struct stint_buf *list, size_t piece)
{
	const double start = cpu_ms();
	struct stint_splitter *splitter = stint_splitter_new(16 * 1024 * 1024, on_item, sink);
	struct stint_error *err = NULL;
	sink->count = 0;
	for (size_t at = 0; at < list->length; at += piece) {
		const size_t length = list->length - at < piece ? list->length - at : piece;
		if (!stint_splitter_feed(splitter, list->data + at, length, &err)) {
			fprintf(stderr, "%s\n", err->message);
			exit(1);
		}
	}
	stint_json_free(stint_splitter_finish(splitter, &err));
	stint_splitter_free(splitter);
	return cpu_ms() - start;
}

int main(int argc, char **argv)
{
	int64_t pods = 13000, piece = 16384;
	if ((argc > 1 && !stint_parse_int(argv[1], 1, 10000000, &pods)) || (argc > 2 && !stint_parse_int(argv[2], 1, INT32_MAX, &piece))) {
		fprintf(stderr, "usage: bench_decode [PODS [PIECE_BYTES]]\n");
		return 2;
	}
	stint_auto_buf list = {0};
	stint_buf_puts(&list, "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"99\"},\"items\":[");
	for (int n = 0; n < pods; n++) {
		if (n)
			stint_buf_putc(&list, ',');
		add_pod(&list, n);
	}
	stint_buf_puts(&list, "]}");
	const double megabytes = (double)list.length / 1e6;
	printf("list    %lld pods, %.1f MB, %.0f bytes a pod\n", (long long)pods, megabytes, (double)list.length / (double)pods);

	struct sink sink = {.objects = stint_alloc((size_t)pods * sizeof(struct stint_object *))};
	double best = 1e9;
	for (int round = 0; round < 5; round++) {
		const double ms = feed(&sink, &list, (size_t)piece);
		best = ms < best ? ms : best;
	}
	printf("split   %.1f ms, %.0f MB/s\n", best, megabytes / best * 1000);

	best = 1e9;
	for (int round = 0; round < 5; round++) {
		sink.model = stint_model_new();
		const double ms = feed(&sink, &list, (size_t)piece);
		best = ms < best ? ms : best;
		if (round == 4)
			break;
		for (size_t i = 0; i < sink.count; i++)
			stint_object_unref(sink.objects[i]);
		stint_model_free(sink.model);
	}
	struct stint_model_stats stats;
	stint_model_measure(sink.model, &stats);
	printf("decode  %.1f ms with the split, %.0f MB/s, %.1f us a pod\n", best, megabytes / best * 1000, best * 1000 / (double)pods);
	printf("model   %zu bytes a pod (%zu texts, %zu specs)\n", (stats.text_bytes + stats.object_bytes) / (size_t)pods, stats.texts,
		stats.specs);
	for (size_t i = 0; i < sink.count; i++)
		stint_object_unref(sink.objects[i]);
	stint_model_free(sink.model);
	free(sink.objects);
	return 0;
}
