/* kube: TLS, tokens that rotate, and credential plugins, against an HTTPS server of our own. */
#include <stint/httpd.h>
#include <stint/kube.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/kube/exec_plugin.h"
#include "tests/unit/test.h"

struct fixture {
	struct stint_loop *loop;
	struct stint_certificate ca, server, client, other_ca;
	struct stint_httpd *httpd;
	struct stint_kube_config *config;
	struct stint_kube *kube;
	char folder[64];
	int requests;
	char authorization[256], common_name[64], host[64], groups[64];
	const char *accepted; /* the only Authorization that is not answered with 401; NULL: any */
};

static void answer(void *user, struct stint_httpd_request *request)
{
	struct fixture *f = user;
	const char *authorization = stint_httpd_header(request, "Authorization");
	const char *host = stint_httpd_header(request, "Host");
	const char *group = stint_httpd_header(request, "Impersonate-Group");
	const struct stint_httpd_peer *peer = stint_httpd_peer(request, NULL);
	f->requests++;
	snprintf(f->authorization, sizeof(f->authorization), "%s", authorization ? authorization : "");
	snprintf(f->common_name, sizeof(f->common_name), "%s", peer ? peer->common_name : "");
	snprintf(f->host, sizeof(f->host), "%s", host ? host : "");
	snprintf(f->groups, sizeof(f->groups), "%s", group ? group : "");
	bool fine = !f->accepted || (authorization && strcmp(authorization, f->accepted) == 0);
	stint_httpd_reply_text(request, fine ? 200 : 401, fine ? "{}" : "no");
}

static void serve(struct fixture *f)
{
	const struct stint_httpd_options options = {.certificate_pem = f->server.certificate_pem,
		.key_pem = f->server.key_pem,
		.client_ca_pem = f->ca.certificate_pem,
		.on_request = answer,
		.user = f};
	assert_works(f->httpd = stint_httpd_start(f->loop, &options, &err));
	f->config = stint_kube_config_new();
	f->config->server = stint_format("https://127.0.0.1:%d", stint_httpd_port(f->httpd));
	f->config->ca_data = stint_strdup(f->ca.certificate_pem);
}

static int set_up_with(void **state, const char *const *names)
{
	struct fixture *f = stint_alloc(sizeof(*f));
	f->loop = stint_loop_new(NULL);
	snprintf(f->folder, sizeof(f->folder), "/tmp/stint-credentials-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	assert_works(stint_certificate_issue(NULL, STINT_CERTIFICATE_CA, "ca", NULL, NULL, 1, &f->ca, &err));
	assert_works(stint_certificate_issue(NULL, STINT_CERTIFICATE_CA, "other", NULL, NULL, 1, &f->other_ca, &err));
	assert_works(stint_certificate_issue(&f->ca, STINT_CERTIFICATE_SERVER, "server", NULL, names, 1, &f->server, &err));
	assert_works(stint_certificate_issue(&f->ca, STINT_CERTIFICATE_CLIENT, "alice", "dev", NULL, 1, &f->client, &err));
	serve(f);
	*state = f;
	return 0;
}

static int set_up(void **state)
{
	static const char *const names[] = {"IP:127.0.0.1", NULL};
	return set_up_with(state, names);
}

static int set_up_named(void **state)
{
	static const char *const names[] = {"DNS:api.internal", NULL};
	return set_up_with(state, names);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	stint_kube_free(f->kube);
	stint_kube_config_free(f->config);
	stint_httpd_stop(f->httpd);
	stint_loop_free(f->loop);
	stint_certificate_free(&f->ca);
	stint_certificate_free(&f->other_ca);
	stint_certificate_free(&f->server);
	stint_certificate_free(&f->client);
	stint_autofree char *command = stint_format("rm -rf '%s'", f->folder);
	int rc = system(command);
	free(f);
	return rc;
}

/* One GET with a client that is made for it unless there is one. */
static bool ask(struct fixture *f, struct stint_error **err)
{
	if (!f->kube)
		f->kube = stint_kube_new(f->loop, f->config, NULL, err);
	return f->kube && stint_kube_call_wait(f->kube, &(struct stint_kube_request){.path = "/version", .timeout_ms = 20000}, NULL, err);
}

static void write_text(const char *path, const char *text, mode_t mode)
{
	assert_works(stint_file_write(path, text, strlen(text), mode, &err));
}

/* ---- TLS -------------------------------------------------------------------------------------------------------------------- */

static void test_a_server_of_another_authority_is_refused(void **state)
{
	struct fixture *f = *state;
	free(f->config->ca_data);
	f->config->ca_data = stint_strdup(f->other_ca.certificate_pem);
	assert_fails(ask(f, &err), STINT_UNREACHABLE, "does not prove who it is");
	stint_kube_free(f->kube);
	f->kube = NULL;
	free(f->config->ca_data);
	f->config->ca_data = NULL; /* the system's authorities do not know it either */
	assert_fails(ask(f, &err), STINT_UNREACHABLE, "does not prove who it is");
	assert_int_equal(f->requests, 0);
}

static void test_a_broken_authority_is_an_error_and_no_fall_back(void **state)
{
	struct fixture *f = *state;
	free(f->config->ca_data);
	f->config->ca_data = stint_strdup("not a certificate");
	assert_fails(ask(f, &err), STINT_USAGE, "certificate authority");
	assert_int_equal(f->requests, 0);
}

static void test_insecure_is_obeyed_only_when_said(void **state)
{
	struct fixture *f = *state;
	free(f->config->ca_data);
	f->config->ca_data = NULL;
	f->config->insecure = true;
	assert_works(ask(f, &err));
}

static void test_the_host_name_is_verified(void **state)
{
	struct fixture *f = *state;
	assert_fails(ask(f, &err), STINT_UNREACHABLE, "does not prove who it is");
}

static void test_tls_server_name_is_what_is_verified_and_the_host_stays(void **state)
{
	struct fixture *f = *state;
	f->config->tls_server_name = stint_strdup("api.internal");
	assert_works(ask(f, &err));
	assert_string_equal(f->host, f->config->server + strlen("https://"));
}

static void test_an_inline_client_certificate_says_who_asks(void **state)
{
	struct fixture *f = *state;
	f->config->client_certificate_data = stint_strdup(f->client.certificate_pem);
	f->config->client_key_data = stint_strdup(f->client.key_pem);
	assert_works(ask(f, &err));
	assert_string_equal(f->common_name, "alice");
}

static void test_a_certificate_for_servers_names_no_client(void **state)
{
	struct fixture *f = *state;
	f->config->client_certificate_data = stint_strdup(f->server.certificate_pem);
	f->config->client_key_data = stint_strdup(f->server.key_pem);
	assert_works(ask(f, &err));
	assert_string_equal(f->common_name, "");
}

static void test_a_client_key_that_cannot_be_used_is_an_error(void **state)
{
	struct fixture *f = *state;
	f->config->client_certificate_data = stint_strdup(f->client.certificate_pem);
	f->config->client_key_data = stint_strdup(f->server.key_pem);
	assert_fails(ask(f, &err), STINT_USAGE, "client certificate or its key");
	assert_int_equal(f->requests, 0);
}

static void test_the_environments_proxy_is_not_for_this_machine(void **state)
{
	struct fixture *f = *state;
	setenv("https_proxy", "http://127.0.0.1:1", 1);
	assert_works(ask(f, &err));
	f->config->proxy_url = stint_strdup("http://127.0.0.1:1"); /* but one that the kubeconfig names is */
	stint_kube_free(f->kube);
	f->kube = NULL;
	assert_fails(ask(f, &err), STINT_UNREACHABLE, "cannot be reached");
	unsetenv("https_proxy");
}

static void count_answer(void *user, struct stint_kube_response *response)
{
	*(int *)user += response->error ? 1000 : 1;
}

static void test_calls_that_wait_for_the_first_connection_go_on_when_it_stands_or_fails(void **state)
{
	struct fixture *f = *state;
	for (int round = 0; round < 2; round++) {
		int count = 0;
		const int wanted = round == 0 ? 30 : 30 * 1000;
		assert_works(f->kube = stint_kube_new(f->loop, f->config, NULL, &err));
		for (int i = 0; i < 30; i++)
			stint_kube_call_start(f->kube, &(struct stint_kube_request){.path = "/x", .on_done = count_answer, .user = &count});
		int64_t deadline_ms = stint_monotonic_ms() + 20000;
		while (count < wanted && stint_monotonic_ms() < deadline_ms)
			stint_loop_step(f->loop, 50);
		assert_int_equal(count, wanted);
		stint_kube_free(f->kube);
		f->kube = NULL;
		free(f->config->server);
		f->config->server = stint_strdup("https://127.0.0.1:1"); /* nobody there */
	}
}

/* ---- tokens ------------------------------------------------------------------------------------------------------------------ */

static void test_token_and_impersonation_are_sent(void **state)
{
	struct fixture *f = *state;
	f->config->token = stint_strdup("abc");
	f->config->impersonate_user = stint_strdup("root");
	f->config->impersonate_groups = stint_split("admins", ",");
	assert_works(ask(f, &err));
	assert_string_equal(f->authorization, "Bearer abc");
	assert_string_equal(f->groups, "admins");
}

static void test_a_token_that_would_break_the_header_is_refused(void **state)
{
	struct fixture *f = *state;
	f->config->token = stint_strdup("abc\r\nX-Evil: 1");
	assert_fails(ask(f, &err), STINT_USAGE, "control character");
	assert_int_equal(f->requests, 0);
}

static void test_a_rotated_token_file_is_read_again_after_401(void **state)
{
	struct fixture *f = *state;
	f->config->token_file = stint_format("%s/token", f->folder);
	write_text(f->config->token_file, "first\n", 0600);
	f->accepted = "Bearer first";
	assert_works(ask(f, &err));
	write_text(f->config->token_file, "second", 0600);
	f->accepted = "Bearer second";
	assert_works(ask(f, &err));
	assert_int_equal(f->requests, 3); /* 200; 401 and once more */
	f->accepted = "Bearer third";
	assert_fails(ask(f, &err), STINT_FORBIDDEN, "log in again");
	assert_int_equal(f->requests, 5); /* one more attempt, not two */
}

static void test_a_fixed_token_that_is_refused_is_not_tried_again(void **state)
{
	struct fixture *f = *state;
	f->config->token = stint_strdup("old");
	f->accepted = "Bearer new";
	assert_fails(ask(f, &err), STINT_FORBIDDEN, "log in again");
	assert_int_equal(f->requests, 1);
}

/* ---- plugins ----------------------------------------------------------------------------------------------------------------- */

/* A plugin that notes each run and what it was given, and then does `body`. */
static void use_plugin(struct fixture *f, const char *body)
{
	struct stint_kube_exec_config *exec = f->config->exec = stint_alloc(sizeof(*exec));
	stint_autofree char *script =
		stint_format("#!/bin/sh\nprintf '%%s|' \"$@\" >>%s/args\nprintf '%%s' \"$KUBERNETES_EXEC_INFO\" >%s/info\n"
			     "printf '%%s' \"$EXTRA\" >%s/extra\ncat >%s/stdin\necho run >>%s/runs\n%s\n",
			f->folder, f->folder, f->folder, f->folder, f->folder, body);
	exec->command = stint_format("%s/plugin with space", f->folder);
	exec->api_version = stint_strdup("client.authentication.k8s.io/v1");
	exec->install_hint = stint_strdup("Install it with: apt install login");
	exec->provide_cluster_info = true;
	exec->env = stint_split("EXTRA=yes;no", "\t");
	exec->args = stint_split("get-token\t$(touch /tmp/never)\ta b", "\t");
	write_text(exec->command, script, 0700);
}

static char *note_of(const struct fixture *f, const char *name)
{
	stint_autofree char *path = stint_format("%s/%s", f->folder, name);
	struct stint_buf text = {0};
	stint_buf_read_file(&text, path, 1 << 20, NULL);
	return stint_buf_steal(&text);
}

static size_t runs_of(const struct fixture *f)
{
	stint_autofree char *runs = note_of(f, "runs");
	return strlen(runs) / strlen("run\n");
}

#define CREDENTIAL(status) "echo '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":" status "}'"

static void test_a_plugin_gets_its_words_and_the_cluster_and_gives_a_token(void **state)
{
	struct fixture *f = *state;
	use_plugin(f, CREDENTIAL("{\"token\":\"made\"}"));
	assert_works(ask(f, &err));
	assert_works(ask(f, &err));
	assert_string_equal(f->authorization, "Bearer made");
	assert_int_equal(runs_of(f), 1); /* kept until it expires */

	stint_autofree char *args = note_of(f, "args");
	assert_string_equal(args, "get-token|$(touch /tmp/never)|a b|");
	stint_autofree char *extra = note_of(f, "extra");
	assert_string_equal(extra, "yes;no");
	assert_null(getenv("KUBERNETES_EXEC_INFO"));
	stint_autofree char *info = note_of(f, "info");
	stint_auto_json *parsed = stint_json_parse(info, strlen(info), 0, NULL);
	assert_string_equal(stint_json_string_at(parsed, "kind"), "ExecCredential");
	assert_string_equal(stint_json_string_at(parsed, "spec", "cluster", "server"), f->config->server);
	assert_non_null(stint_json_string_at(parsed, "spec", "cluster", "certificate-authority-data"));
	assert_false(stint_json_bool_or(stint_json_at(parsed, "spec", "interactive"), true));
}

static void test_a_plugin_may_give_a_certificate(void **state)
{
	struct fixture *f = *state;
	stint_auto_json *status = stint_json_new_object();
	stint_json_set_string(status, "clientCertificateData", f->client.certificate_pem);
	stint_json_set_string(status, "clientKeyData", f->client.key_pem);
	stint_autofree char *text = stint_json_print(status);
	stint_autofree char *path = stint_format("%s/status", f->folder);
	write_text(path, text, 0600);
	stint_autofree char *body = stint_format(
		"printf '{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":'; cat %s; echo '}'",
		path);
	use_plugin(f, body);
	assert_works(ask(f, &err));
	assert_string_equal(f->common_name, "alice");
}

static void test_an_expired_credential_is_made_anew(void **state)
{
	struct fixture *f = *state;
	use_plugin(f, CREDENTIAL("{\"token\":\"made\",\"expirationTimestamp\":\"2020-01-01T00:00:00Z\"}"));
	assert_works(ask(f, &err));
	assert_works(ask(f, &err));
	assert_int_equal(runs_of(f), 2);
}

static void test_a_refused_credential_is_made_anew_once(void **state)
{
	struct fixture *f = *state;
	use_plugin(f, CREDENTIAL("{\"token\":\"made\"}"));
	f->accepted = "Bearer other";
	assert_fails(ask(f, &err), STINT_FORBIDDEN, "log in again");
	assert_int_equal(runs_of(f), 2);
	assert_int_equal(f->requests, 2);
}

static void count_done(void *user, struct stint_kube_response *response)
{
	assert_null(response->error);
	++*(int *)user;
}

static void test_however_many_wait_the_plugin_runs_once(void **state)
{
	struct fixture *f = *state;
	int done = 0;
	use_plugin(f, CREDENTIAL("{\"token\":\"made\"}"));
	assert_works(f->kube = stint_kube_new(f->loop, f->config, NULL, &err));
	for (int i = 0; i < 20; i++)
		stint_kube_call_start(f->kube, &(struct stint_kube_request){.path = "/x", .on_done = count_done, .user = &done});
	int64_t deadline_ms = stint_monotonic_ms() + 20000;
	while (done < 20 && stint_monotonic_ms() < deadline_ms)
		stint_loop_step(f->loop, 50);
	assert_int_equal(done, 20);
	assert_int_equal(runs_of(f), 1);
}

static void test_a_plugin_that_fails_is_named_and_its_output_is_not_shown(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *body, *words;
	} cases[] = {
		{"echo s3cret; exit 3", "failed with exit code 3"},
		{"echo s3cret", "did not print an ExecCredential"},
		{"kill -9 $$", "ended by signal 9"},
		{"head -c 3000000 /dev/zero", "more than 1 MiB"},
		{"echo "
		 "'{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/"
		 "v1beta1\",\"status\":{\"token\":\"s3cret\"}}'",
			"another apiVersion"},
		{CREDENTIAL("{}"), "neither a token nor a client certificate"},
		{CREDENTIAL("{\"token\":\"s3cret\",\"clientKeyData\":\"x\"}"), "without a key, or the reverse"},
		{CREDENTIAL("{\"token\":\"s3cret\",\"expirationTimestamp\":\"soon\"}"), "no RFC 3339 time"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		use_plugin(f, cases[i].body);
		stint_auto_error *problem = NULL;
		assert_false(ask(f, &problem));
		assert_int_equal(problem->code, STINT_FORBIDDEN);
		assert_non_null(strstr(problem->message, cases[i].words));
		assert_non_null(strstr(problem->message, f->config->exec->command));
		assert_null(strstr(problem->message, "s3cret"));
		stint_kube_free(f->kube);
		f->kube = NULL;
		stint_kube_config_free(f->config);
		stint_httpd_stop(f->httpd);
		serve(f);
	}
	assert_int_equal(f->requests, 0);
}

static void test_a_plugin_that_is_not_there_comes_with_its_install_hint(void **state)
{
	struct fixture *f = *state;
	use_plugin(f, "");
	unlink(f->config->exec->command);
	assert_fails(ask(f, &err), STINT_FORBIDDEN, "Install it with: apt install login");
}

static void test_a_plugin_that_needs_a_terminal_is_not_started_without_one(void **state)
{
	struct fixture *f = *state;
	use_plugin(f, CREDENTIAL("{\"token\":\"made\"}"));
	f->config->exec->interactive = STINT_KUBE_EXEC_ALWAYS;
	const struct stint_kube_options options = {.stdin_in_use = true};
	assert_works(f->kube = stint_kube_new(f->loop, f->config, &options, &err));
	assert_fails(ask(f, &err), STINT_FORBIDDEN, "needs a terminal");
	assert_int_equal(runs_of(f), 0);
}

static void test_a_client_may_be_freed_while_its_plugin_runs(void **state)
{
	struct fixture *f = *state;
	use_plugin(f, "exec sleep 100");
	assert_works(f->kube = stint_kube_new(f->loop, f->config, NULL, &err));
	stint_kube_call_start(f->kube, &(struct stint_kube_request){.path = "/x"});
	for (int i = 0; i < 3; i++)
		stint_loop_step(f->loop, 10);
	stint_kube_free(f->kube);
	f->kube = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_server_of_another_authority_is_refused),
		TEST(test_a_broken_authority_is_an_error_and_no_fall_back),
		TEST(test_insecure_is_obeyed_only_when_said),
		cmocka_unit_test_setup_teardown(test_the_host_name_is_verified, set_up_named, tear_down),
		cmocka_unit_test_setup_teardown(test_tls_server_name_is_what_is_verified_and_the_host_stays, set_up_named, tear_down),
		TEST(test_an_inline_client_certificate_says_who_asks),
		TEST(test_a_certificate_for_servers_names_no_client),
		TEST(test_a_client_key_that_cannot_be_used_is_an_error),
		TEST(test_the_environments_proxy_is_not_for_this_machine),
		TEST(test_calls_that_wait_for_the_first_connection_go_on_when_it_stands_or_fails),
		TEST(test_token_and_impersonation_are_sent),
		TEST(test_a_token_that_would_break_the_header_is_refused),
		TEST(test_a_rotated_token_file_is_read_again_after_401),
		TEST(test_a_fixed_token_that_is_refused_is_not_tried_again),
		TEST(test_a_plugin_gets_its_words_and_the_cluster_and_gives_a_token),
		TEST(test_a_plugin_may_give_a_certificate),
		TEST(test_an_expired_credential_is_made_anew),
		TEST(test_a_refused_credential_is_made_anew_once),
		TEST(test_however_many_wait_the_plugin_runs_once),
		TEST(test_a_plugin_that_fails_is_named_and_its_output_is_not_shown),
		TEST(test_a_plugin_that_is_not_there_comes_with_its_install_hint),
		TEST(test_a_plugin_that_needs_a_terminal_is_not_started_without_one),
		TEST(test_a_client_may_be_freed_while_its_plugin_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
