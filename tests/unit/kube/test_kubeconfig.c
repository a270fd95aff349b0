/* kube: how a kubeconfig is found, merged and resolved, and what is said of a broken one. */
#include <stint/kube.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/kube/config.h"
#include "tests/unit/test.h"

static char folder[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/stint-kubeconfig-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	unsetenv("KUBECONFIG");
	unsetenv("KUBERNETES_SERVICE_HOST");
	unsetenv("KUBERNETES_SERVICE_PORT");
	unsetenv("POD_NAMESPACE");
	return setenv("HOME", folder, 1);
}

static int tear_down(void **state)
{
	(void)state;
	stint_autofree char *command = stint_format("rm -rf '%s'", folder);
	return system(command);
}

static char *write_file(const char *name, const char *text)
{
	char *path = stint_format("%s/%s", folder, name);
	stint_autofree char *parent = stint_strndup(path, (size_t)(strrchr(path, '/') - path));
	assert_works(stint_make_folders(parent, 0700, &err));
	assert_works(stint_file_write(path, text, strlen(text), 0600, &err));
	return path;
}

static const char simple[] = "apiVersion: v1\n"
			     "kind: Config\n"
			     "current-context: dev\n"
			     "clusters:\n"
			     "- name: c1\n"
			     "  cluster: {server: 'https://one.example:6443/', certificate-authority: pki/ca.crt}\n"
			     "contexts:\n"
			     "- name: dev\n"
			     "  context: {cluster: c1, user: u1, namespace: vision}\n"
			     "- name: bare\n"
			     "  context: {cluster: c1}\n"
			     "users:\n"
			     "- name: u1\n"
			     "  user:\n"
			     "    client-certificate: ../me.crt\n"
			     "    client-key: /abs/me.key\n"
			     "    tokenFile: token\n";

static void test_paths_belong_to_the_file_that_holds_them(void **state)
{
	(void)state;
	stint_autofree char *path = write_file("sub/config", simple);
	const struct stint_kube_config_options options = {.kubeconfig = path};
	struct stint_kube_config *config = NULL;
	assert_works(config = stint_kube_config_load(&options, &err));
	stint_autofree char *ca = stint_format("%s/sub/pki/ca.crt", folder);
	stint_autofree char *certificate = stint_format("%s/sub/../me.crt", folder);
	stint_autofree char *token = stint_format("%s/sub/token", folder);
	assert_string_equal(config->ca_file, ca);
	assert_string_equal(config->client_certificate_file, certificate);
	assert_string_equal(config->client_key_file, "/abs/me.key");
	assert_string_equal(config->token_file, token);
	assert_string_equal(config->server, "https://one.example:6443");
	assert_string_equal(config->namespace_, "vision");
	assert_string_equal(config->context, "dev");
	stint_kube_config_free(config);
}

static void test_options_choose_context_and_namespace(void **state)
{
	(void)state;
	stint_autofree char *path = write_file("config", simple);
	const struct stint_kube_config_options options = {.kubeconfig = path, .context = "bare", .namespace_ = "nlp"};
	struct stint_kube_config *config = NULL;
	assert_works(config = stint_kube_config_load(&options, &err));
	assert_null(config->user);
	assert_null(config->token_file);
	assert_string_equal(config->namespace_, "nlp");
	stint_kube_config_free(config);
}

static void test_list_merges_and_the_first_file_wins(void **state)
{
	(void)state;
	stint_autofree char *first = write_file("a/config",
		"clusters:\n- {name: c1, cluster: {server: 'https://first'}}\n"
		"users:\n- {name: u1, user: {exec: {command: ./bin/login, apiVersion: client.authentication.k8s.io/v1, interactiveMode: "
		"Never}}}\n");
	stint_autofree char *second = write_file("b/config",
		"current-context: both\nclusters:\n- {name: c1, cluster: {server: 'https://second', insecure-skip-tls-verify: true}}\n"
		"users:\n- {name: u1, user: {token: other}}\n"
		"contexts:\n- {name: both, context: {cluster: c1, user: u1}}\n");
	stint_autofree char *list = stint_format("%s:/nowhere/config::%s", first, second);
	setenv("KUBECONFIG", list, 1);
	struct stint_kube_config *config = NULL;
	assert_works(config = stint_kube_config_load(NULL, &err));
	assert_string_equal(config->server, "https://first");
	assert_false(config->insecure); /* entries merge whole: nothing of the second c1 shows */
	assert_null(config->token);
	stint_autofree char *command = stint_format("%s/a/./bin/login", folder);
	assert_string_equal(config->exec->command, command);
	stint_kube_config_free(config);
}

static void test_a_bare_plugin_command_is_left_to_the_path(void **state)
{
	(void)state;
	stint_autofree char *path = write_file("config",
		"current-context: x\nclusters: [{name: c, cluster: {server: 'https://s'}}]\ncontexts: [{name: x, context: {cluster: c, "
		"user: u}}]\n"
		"users: [{name: u, user: {exec: {command: aws, args: [eks, get-token], apiVersion: client.authentication.k8s.io/v1beta1, "
		"env: [{name: AWS_PROFILE, value: dev}]}}}]\n");
	const struct stint_kube_config_options options = {.kubeconfig = path};
	struct stint_kube_config *config = NULL;
	assert_works(config = stint_kube_config_load(&options, &err));
	assert_string_equal(config->exec->command, "aws");
	assert_string_equal(config->exec->args[1], "get-token");
	assert_null(config->exec->args[2]);
	assert_string_equal(config->exec->env[0], "AWS_PROFILE=dev");
	assert_int_equal(config->exec->interactive, STINT_KUBE_EXEC_IF_AVAILABLE);
	stint_kube_config_free(config);
}

static void test_inline_data_is_decoded_and_wins(void **state)
{
	(void)state;
	stint_autofree char *path = write_file("config",
		"current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
		"clusters: [{name: c, cluster: {server: 'https://s', certificate-authority-data: UEVN, tls-server-name: api, proxy-url: "
		"'socks5://p:1', "
		"disable-compression: true}}]\n"
		"users: [{name: u, user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ, as: root, as-groups: [a, b], "
		"as-user-extra: {k: [v]}}}]\n");
	const struct stint_kube_config_options options = {.kubeconfig = path};
	struct stint_kube_config *config = NULL;
	assert_works(config = stint_kube_config_load(&options, &err));
	assert_string_equal(config->ca_data, "PEM");
	assert_string_equal(config->client_certificate_data, "CERT");
	assert_string_equal(config->client_key_data, "KEY");
	assert_string_equal(config->tls_server_name, "api");
	assert_string_equal(config->proxy_url, "socks5://p:1");
	assert_true(config->disable_compression);
	assert_string_equal(config->impersonate_user, "root");
	assert_string_equal(config->impersonate_groups[1], "b");
	assert_string_equal(config->impersonate_extra[0], "k=v");
	stint_kube_config_free(config);
}

static void test_yaml_truths_are_understood(void **state)
{
	(void)state;
	static const char *const spellings[] = {"true", "True", "TRUE", "yes", "on"};
	for (size_t i = 0; i < STINT_COUNT(spellings); i++) {
		stint_autofree char *text =
			stint_format("current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\n"
				     "clusters: [{name: c, cluster: {server: 'https://s', insecure-skip-tls-verify: %s}}]\n",
				spellings[i]);
		stint_autofree char *path = write_file("config", text);
		const struct stint_kube_config_options options = {.kubeconfig = path};
		struct stint_kube_config *config = NULL;
		assert_works(config = stint_kube_config_load(&options, &err));
		assert_true(config->insecure);
		stint_kube_config_free(config);
	}
}

static void test_a_server_without_scheme_is_https_only_with_tls_settings(void **state)
{
	(void)state;
	static const struct {
		const char *cluster, *server;
	} cases[] = {
		{"{server: 'host:6443', insecure-skip-tls-verify: true}", "https://host:6443"},
		{"{server: 'host:6443', certificate-authority: ca}", "https://host:6443"},
		{"{server: 'host:8001'}", "http://host:8001"},
		{"{server: 'https://h/prefix///'}", "https://h/prefix"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_autofree char *text = stint_format(
			"current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\nclusters: [{name: c, cluster: %s}]\n",
			cases[i].cluster);
		stint_autofree char *path = write_file("config", text);
		const struct stint_kube_config_options options = {.kubeconfig = path};
		struct stint_kube_config *config = NULL;
		assert_works(config = stint_kube_config_load(&options, &err));
		assert_string_equal(config->server, cases[i].server);
		stint_kube_config_free(config);
	}
}

#define CLUSTER "clusters: [{name: c, cluster: {server: 'https://s'}}]\n"
#define CONTEXT "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n"
#define USER(fields) CONTEXT CLUSTER "users: [{name: u, user: {" fields "}}]\n"

static void test_a_broken_config_is_named_with_file_and_field(void **state)
{
	(void)state;
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"a: [b", "config"},
		{"- just\n- a list\n", "not a kubeconfig"},
		{"kind: Pod\n", "its kind is \"Pod\""},
		{"clusters: {}\n", "\"clusters\" must be a list"},
		{"users: [{user: {}}]\n", "has no name"},
		{"users: [{name: a, user: 7}]\n", "must be an object"},
		{"clusters: [{name: c}, {name: c}]\n", "two entries named \"c\""},
		{CLUSTER "contexts: [{name: x, context: {cluster: c}}, {name: w, context: {}}]\n",
			"no current context: choose one with --context (there are: x, w)"},
		{"contexts: []\n", "has no contexts: name a kubeconfig"},
		{"current-context: z\ncontexts: [{name: x, context: {}}]\n", "has no context \"z\" (there are: x)"},
		{CONTEXT, "names cluster \"c\", which is not there"},
		{CONTEXT CLUSTER, "names user \"u\", which is not there"},
		{CONTEXT "users: [{name: u}]\nclusters: [{name: c, cluster: {server: ''}}]\n", "server of cluster \"c\" must be given"},
		{CONTEXT "users: [{name: u}]\nclusters: [{name: c, cluster: {server: 'ftp://x'}}]\n",
			"must be a URL like https://host:port"},
		{CONTEXT "users: [{name: u}]\nclusters: [{name: c, cluster: {server: 'https://s', insecure-skip-tls-verify: 'true'}}]\n",
			"insecure-skip-tls-verify of cluster \"c\" must be true or false"},
		{CONTEXT "users: [{name: u}]\nclusters: [{name: c, cluster: {server: 'https://s', insecure-skip-tls-verify: true, "
			 "certificate-authority: x}}]\n",
			"remove one of them"},
		{CONTEXT "users: [{name: u}]\nclusters: [{name: c, cluster: {server: 'https://s', certificate-authority-data: '%%'}}]\n",
			"must be PEM text in base64"},
		{CONTEXT "users: [{name: u}]\nclusters: [{name: c, cluster: {server: 'https://s', certificate-authority-data: AAAA}}]\n",
			"must be PEM text in base64"},
		{CONTEXT "users: [{name: u}]\nclusters: [{name: c, cluster: {server: 'https://s', proxy-url: 'ldap://p'}}]\n", "proxy-url"},
		{USER("token: [1]"), "token of user \"u\" must be a text"},
		{USER("client-certificate: a"), "has a client certificate and no client key"},
		{USER("as-groups: [x]"), "give \"as\" too"},
		{USER("auth-provider: {name: gcp}"), "auth-provider \"gcp\", which Kubernetes has removed"},
		{USER("exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never}"), "exec.command"},
		{USER("exec: {command: a, apiVersion: client.authentication.k8s.io/v1}"), "interactiveMode"},
		{USER("exec: {command: a, apiVersion: client.authentication.k8s.io/v1alpha1}"), "exec.apiVersion"},
		{USER("exec: {command: a, apiVersion: client.authentication.k8s.io/v1beta1, env: [{value: x}]}"), "exec.env"},
		{USER("exec: {command: a, apiVersion: client.authentication.k8s.io/v1beta1, env: {A: b}}"), "exec.env"},
		{USER("as: me, as-user-extra: [v]"), "as-user-extra"},
		{USER("as: me, as-user-extra: {k: v}"), "as-user-extra"},
	};
	for (size_t i = 0; i < STINT_COUNT(cases); i++) {
		stint_autofree char *path = write_file("config", cases[i].text);
		const struct stint_kube_config_options options = {.kubeconfig = path};
		assert_fails(stint_kube_config_load(&options, &err), STINT_USAGE, cases[i].words);
		assert_fails(stint_kube_config_load(&options, &err), STINT_USAGE, path);
	}
}

static void test_no_config_anywhere_is_told_apart_from_a_wrong_one(void **state)
{
	(void)state;
	struct stint_error *problem = NULL;
	assert_null(stint_kube_config_load(NULL, &problem));
	assert_int_equal(problem->code, STINT_UNREACHABLE);
	assert_string_equal(problem->reason, STINT_KUBE_NO_CONFIG);
	stint_error_clear(&problem);

	setenv("KUBECONFIG", "/nowhere/a:/nowhere/b", 1);
	assert_fails(stint_kube_config_load(NULL, &err), STINT_USAGE, "KUBECONFIG names /nowhere/a:/nowhere/b");
	const struct stint_kube_config_options options = {.kubeconfig = "/nowhere/c"};
	assert_fails(stint_kube_config_load(&options, &err), STINT_NOT_FOUND, "no kubeconfig /nowhere/c");

	unsetenv("KUBECONFIG");
	stint_autofree char *path = write_file(".kube/config", "apiVersion: v1\nkind: Config\ncontexts: []\nclusters: []\nusers: []\n");
	assert_null(stint_kube_config_load(NULL, &problem));
	assert_string_equal(problem->reason, STINT_KUBE_NO_CONFIG);
	stint_error_clear(&problem);
}

static void test_in_a_cluster_the_service_account_is_used(void **state)
{
	(void)state;
	setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
	setenv("KUBERNETES_SERVICE_PORT", "443", 1);
	assert_fails(kube_config_in_cluster_at(folder, &err), STINT_UNREACHABLE, "token mounted");
	stint_autofree char *token = write_file("token", "abc\n");
	stint_autofree char *namespace_ = write_file("namespace", "stint-system\n");
	struct stint_kube_config *config = NULL;
	assert_works(config = kube_config_in_cluster_at(folder, &err));
	assert_string_equal(config->server, "https://[fd00::1]:443");
	assert_string_equal(config->token_file, token); /* the file, not its content: it rotates */
	assert_null(config->token);
	assert_string_equal(config->namespace_, "stint-system");
	assert_true(config->in_cluster);
	stint_kube_config_free(config);
	stint_autofree char *kubeconfig = write_file(".kube/config", simple);
	assert_works(config = stint_kube_config_load(NULL, &err));
	assert_false(config->in_cluster); /* a kubeconfig goes first */
	stint_kube_config_free(config);
}

static void test_contexts_are_listed_in_order_of_the_files(void **state)
{
	(void)state;
	struct stint_kube_context *contexts = NULL;
	assert_works(contexts = stint_kube_contexts_list(NULL, &err));
	assert_null(contexts[0].name);
	stint_kube_contexts_free(contexts);

	stint_autofree char *path = write_file(".kube/config", simple);
	assert_works(contexts = stint_kube_contexts_list(NULL, &err));
	assert_string_equal(contexts[0].name, "dev");
	assert_true(contexts[0].current);
	assert_string_equal(contexts[0].namespace_, "vision");
	assert_string_equal(contexts[1].name, "bare");
	assert_false(contexts[1].current);
	assert_null(contexts[1].user);
	assert_null(contexts[2].name);
	stint_kube_contexts_free(contexts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_paths_belong_to_the_file_that_holds_them, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_options_choose_context_and_namespace, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_list_merges_and_the_first_file_wins, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_bare_plugin_command_is_left_to_the_path, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_inline_data_is_decoded_and_wins, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_yaml_truths_are_understood, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_server_without_scheme_is_https_only_with_tls_settings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_broken_config_is_named_with_file_and_field, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_config_anywhere_is_told_apart_from_a_wrong_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_in_a_cluster_the_service_account_is_used, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_contexts_are_listed_in_order_of_the_files, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
