/* Who we are to the server: tokens, certificates, and when they have to be renewed. */
#ifndef STINT_KUBE_CREDENTIALS_H
#define STINT_KUBE_CREDENTIALS_H

#include <stint/kube.h>

/* What one attempt of a request is sent with. Shared and counted: a request that is under way keeps the one it was started with. */
struct kube_identity {
	size_t references;
	char *authorization; /* "Authorization: ..." or NULL */
	char *ca_pem; /* NULL: the system's */
	char *certificate_pem;
	char *key_pem;
};
struct kube_identity *kube_identity_hold(struct kube_identity *identity);
void kube_identity_release(struct kube_identity *identity); /* NULL is fine; the last one wipes */

/* Somebody who wants an identity; embedded in its owner. */
struct kube_identity_waiter {
	/* Comes once. identity is borrowed (hold it); NULL with a borrowed error when there is none. */
	void (*ready)(void *user, struct kube_identity *identity, const struct stint_error *problem);
	void *user;
	struct kube_identity_waiter *next;
	bool waiting;
};

struct kube_credentials;
struct kube_credentials *kube_credentials_new(
	struct stint_loop *loop, const struct stint_kube_config *config, const struct stint_logger *logger, bool stdin_in_use);
void kube_credentials_free(struct kube_credentials *credentials); /* waiters hear nothing */
/* ready comes at once, or when the credential plugin has answered. */
void kube_credentials_get(struct kube_credentials *credentials, struct kube_identity_waiter *waiter);
void kube_credentials_cancel(struct kube_credentials *credentials, struct kube_identity_waiter *waiter);
/* The server answered 401 to that identity. True when another one can be had, so that one more attempt makes sense. */
bool kube_credentials_refused(struct kube_credentials *credentials, const struct kube_identity *identity);

#endif
