/* A run of a credential plugin (client.authentication.k8s.io/v1 and v1beta1). */
#ifndef STINT_KUBE_EXEC_PLUGIN_H
#define STINT_KUBE_EXEC_PLUGIN_H

#include <stint/kube.h>

/* What a plugin gave: a token, a client certificate with its key, or both. */
struct kube_plugin_credential {
	char *token;
	char *certificate_pem;
	char *key_pem;
	int64_t expires_ms; /* wall clock; 0: it did not say */
};
void kube_plugin_credential_free(struct kube_plugin_credential *credential); /* its contents, wiped */

struct kube_plugin;
/*
 * Starts the plugin of config->exec. done comes once, on the loop, with the credential (whose contents it may take) or with an
 * error (which it may take); afterwards the run is over and is freed by kube_plugin_free. NULL with err when it could not be started.
 */
struct kube_plugin *kube_plugin_start(struct stint_loop *loop, const struct stint_kube_config *config, bool stdin_in_use,
	void (*done)(void *user, struct kube_plugin_credential *credential, struct stint_error **problem), void *user,
	struct stint_error **err);
void kube_plugin_free(struct kube_plugin *plugin); /* kills a plugin that still runs; NULL is fine */

/* Pure parts, for tests. */
char *kube_plugin_exec_info(const struct stint_kube_config *config, bool interactive);
bool kube_plugin_parse(const struct stint_kube_exec_config *exec, const char *output, size_t length, struct kube_plugin_credential *out,
	struct stint_error **err);

#endif
