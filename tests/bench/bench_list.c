/*
 * What a scheduler's first list costs: 13,000 pods of 5 to 7 KB over HTTPS on loopback, in pages, through the client and the reflector into the
 * model. The server is a child process; what is measured is ours: processor time, and the peak of memory beyond the model.
 *
 * usage: bench_list [PODS]      bars: 400 ms, 64 MiB
 */
#include "tests/bench/pods.h"

#include <stint/httpd.h>
#include <stint/kube.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DEFAULT_PODS = 13000, BAR_MS = 400, BAR_BYTES = 64 * 1024 * 1024 };

static void die(const struct stint_error *err)
{
	fprintf(stderr, "bench_list: %s\n", err ? err->message : "failed");
	exit(1);
}

/* ---- the server -------------------------------------------------------------------------------------------------------------------- */

static int64_t pods;

static int64_t number(const char *text, int64_t otherwise)
{
	int64_t value;
	return text && stint_parse_int(text, 0, INT32_MAX, &value) ? value : otherwise;
}

/* Pages by count; a watch says nothing, which is all that a list needs. */
static void on_request(void *user, struct stint_httpd_request *request)
{
	const struct stint_httpd_response fine = {.status = 200, .content_type = "application/json"};
	const int64_t from = number(stint_httpd_query(request, "continue"), 0), limit = number(stint_httpd_query(request, "limit"), pods);
	const int64_t to = from + limit < pods ? from + limit : pods;
	(void)user;
	if (stint_httpd_query(request, "watch"))
		return;
	stint_auto_buf body = {0};
	stint_buf_puts(&body, "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"99\"");
	if (to < pods)
		stint_buf_printf(&body, ",\"continue\":\"%lld\"", (long long)to);
	stint_buf_puts(&body, "},\"items\":[");
	for (int64_t n = from; n < to; n++) {
		if (n > from)
			stint_buf_putc(&body, ',');
		add_pod(&body, (int)n);
	}
	stint_buf_puts(&body, "]}\n");
	const size_t length = body.length;
	stint_httpd_reply_take(request, &fine, stint_buf_steal(&body), length);
}

static pid_t serve(const struct stint_certificate *certificate, int *port)
{
	int ends[2];
	struct stint_error *err = NULL;
	if (pipe(ends) != 0)
		die(NULL);
	const pid_t child = fork();
	if (child) {
		close(ends[1]);
		if (read(ends[0], port, sizeof(*port)) != (ssize_t)sizeof(*port))
			die(NULL);
		close(ends[0]);
		return child;
	}
	struct stint_loop *loop = stint_loop_new(&err);
	const struct stint_httpd_options options = {
		.certificate_pem = certificate->certificate_pem, .key_pem = certificate->key_pem, .on_request = on_request};
	struct stint_httpd *httpd = loop ? stint_httpd_start(loop, &options, &err) : NULL;
	if (!httpd)
		die(err);
	const int bound = stint_httpd_port(httpd);
	if (write(ends[1], &bound, sizeof(bound)) != (ssize_t)sizeof(bound))
		die(NULL);
	stint_loop_run(loop);
	exit(0);
}

/* ---- the client -------------------------------------------------------------------------------------------------------------------- */

static double cpu_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

static size_t peak_bytes(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (size_t)usage.ru_maxrss * 1024;
}

static void on_change(void *user, enum stint_change change, struct stint_object *object, struct stint_object *before)
{
	(void)user;
	(void)change;
	(void)object;
	(void)before;
}

static void on_trouble(void *user, const struct stint_error *err, int64_t retry_ms)
{
	(void)user;
	(void)retry_ms;
	die(err);
}

static bool measure(const struct stint_kube_config *config)
{
	struct stint_error *err = NULL;
	struct stint_loop *loop = stint_loop_new(&err);
	struct stint_kube *kube = loop ? stint_kube_new(loop, config, NULL, &err) : NULL;
	struct stint_model *model = stint_model_new();
	if (!kube)
		die(err);
	const size_t before = peak_bytes();
	const double start = cpu_ms();
	const int64_t started_ms = stint_monotonic_ms();
	struct stint_reflector *reflector = stint_reflector_start(kube,
		&(struct stint_reflector_options){.resource = &stint_kube_pods,
			.kind = STINT_KIND_POD,
			.model = model,
			.on_change = on_change,
			.on_trouble = on_trouble});
	while (!stint_reflector_synced(reflector))
		stint_loop_step(loop, -1);
	const double own_ms = cpu_ms() - start;
	const int64_t wall_ms = stint_monotonic_ms() - started_ms;
	struct stint_model_stats stats;
	stint_model_measure(model, &stats);
	const size_t held = stats.text_bytes + stats.object_bytes, grown = peak_bytes() - before;
	const size_t beyond = grown > held ? grown - held : 0;
	const bool good = own_ms < BAR_MS && beyond < BAR_BYTES;
	printf("list    %zu pods over HTTPS: %.0f ms of our own (bar %d), %lld ms in all\n", stats.objects, own_ms, BAR_MS,
		(long long)wall_ms);
	printf("memory  %.1f MiB of model, %.1f MiB beyond it at the peak (bar %d)\n", (double)held / 1048576, (double)beyond / 1048576,
		BAR_BYTES / 1048576);
	stint_reflector_free(reflector);
	stint_model_free(model);
	stint_kube_free(kube);
	stint_loop_free(loop);
	return good;
}

int main(int argc, char **argv)
{
	const char *const names[] = {"IP:127.0.0.1", NULL};
	struct stint_certificate certificate;
	struct stint_error *err = NULL;
	int port = 0;
	pods = argc > 1 ? number(argv[1], 0) : DEFAULT_PODS;
	if (argc > 2 || pods < 1) {
		fprintf(stderr, "usage: bench_list [PODS]\n");
		return 2;
	}
	if (!stint_certificate_issue(NULL, STINT_CERTIFICATE_SERVER, "bench", NULL, names, 1, &certificate, &err))
		die(err);
	const pid_t child = serve(&certificate, &port);
	struct stint_kube_config *config = stint_kube_config_new();
	config->server = stint_format("https://127.0.0.1:%d", port);
	config->ca_data = stint_strdup(certificate.certificate_pem);
	const bool good = measure(config);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	stint_kube_config_free(config);
	stint_certificate_free(&certificate);
	return good ? 0 : 1;
}
