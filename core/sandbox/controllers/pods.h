/*
 * pods: what controllers know of the pods of the cluster: a few facts of each, found by owner and by namespace.
 *
 * The facts are kept up by the store's events and, at once, by the writes of the controllers themselves, so that a controller that has
 * just created a pod sees it and creates no second one. Older news than what is known is passed over by its resourceVersion.
 */
#ifndef STINT_SANDBOX_PODS_H
#define STINT_SANDBOX_PODS_H

#include <stint/text.h>

enum pod_phase { POD_PENDING, POD_RUNNING, POD_SUCCEEDED, POD_FAILED };

struct pod_facts {
	char *space, *name, *uid;
	char *owner_uid, *owner_kind, *owner_name; /* of the controller; NULL without one */
	char *node; /* NULL while unbound */
	char *ip; /* NULL before it runs */
	char *labels; /* JSON object, or NULL */
	char *revision; /* label pod-template-hash, else controller-revision-hash; NULL */
	uint64_t version;
	enum pod_phase phase;
	bool deleting, ready;
	bool tracked; /* has the finalizer batch.kubernetes.io/job-tracking */
	int restarts; /* of all containers */
	int64_t index; /* job completion index, or -1 */
	int64_t index_failures, index_ignored; /* job-index-failure-count, job-index-ignored-failure-count; 0 without */
	int64_t deletion_cost; /* controller.kubernetes.io/pod-deletion-cost */
	int64_t created_ms, ready_ms, finished_ms; /* -1: not known. ready_ms: since when it is ready */
	struct stint_json *failure; /* status of a failed, tracked pod, for its Job's podFailurePolicy; else NULL */
};
struct pod_facts *pod_facts_read(const struct stint_json *pod);
void pod_facts_free(void *facts);

bool pod_is_finished(const struct pod_facts *pod); /* Succeeded or Failed */
bool pod_is_active(const struct pod_facts *pod); /* neither finished nor being deleted */
/* Ready for at least min_ready_ms. *wait_ms (may be NULL) is lowered to when it may be, if it is only that. */
bool pod_is_available(const struct pod_facts *pod, int64_t min_ready_ms, int64_t now_ms, int64_t *wait_ms);

/*
 * For qsort over struct pod_facts *: which pods a controller removes first: unbound, pending, not ready, cheap to delete, ready for the
 * shortest time, often restarted, youngest. Ties by name.
 */
int pod_compare_worth(const void *left, const void *right);

/* Borrowed pointers in no order. */
struct pod_list {
	struct pod_facts **items;
	size_t count, capacity;
};
void pod_list_free(struct pod_list *list); /* the array; also for STINT_CLEANUP */
void pod_list_add(struct pod_list *list, struct pod_facts *pod);

struct pod_book;
struct pod_book *pod_book_new(void);
void pod_book_free(struct pod_book *book);
/* Replaces the content of what was known unless that is newer. The pointer stays the same until the pod is forgotten. */
struct pod_facts *pod_book_learn(struct pod_book *book, const struct stint_json *pod);
void pod_book_forget(struct pod_book *book, const char *uid);
struct pod_facts *pod_book_get(const struct pod_book *book, const char *uid);
/* Pods whose controller has that uid. Copies pointers: valid until the next forget. */
void pod_book_owned(const struct pod_book *book, const char *owner_uid, struct pod_list *out);
/* Pods of the namespace without a controller, at least those that the selector matches: found by its first label, else all. */
void pod_book_orphans(const struct pod_book *book, const char *space, const struct stint_json *selector, struct pod_list *out);
void pod_book_all(const struct pod_book *book, const char *space, struct pod_list *out); /* space NULL: all. O(pods) */

/* metav1.LabelSelector over a JSON object of labels (NULL: none). An empty selector matches all, NULL nothing. */
bool label_selector_matches(const struct stint_json *selector, const struct stint_json *labels);
/* The same over the text of labels that facts carry. */
bool label_selector_matches_pod(const struct stint_json *selector, const struct pod_facts *pod);

#endif
