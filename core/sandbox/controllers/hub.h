/*
 * hub: what the controllers share: the API, the book of pods, and a queue of work keyed by controller and object.
 *
 * A controller is a function that brings one object to what it should be, called again whenever something it depends on has changed.
 * Waking an object that is already waiting costs nothing: many events of one turn become one sync.
 */
#ifndef STINT_SANDBOX_HUB_H
#define STINT_SANDBOX_HUB_H

#include "core/sandbox/controllers/controllers.h"
#include "core/sandbox/controllers/pods.h"

struct controller {
	const char *name; /* component of Events, manager of fields: "job-controller" */
	const char *api_version, *kind; /* what it looks after */
	bool by_space; /* one sync is for all objects of a namespace; name is "" then */
	/* space is "" for cluster-scoped kinds. The object may have gone. */
	void (*sync)(struct hub *hub, const char *space, const char *name);
};

struct garbage;

struct hub {
	struct stint_api *api;
	char *root_ca_pem;
	struct pod_book *pods;
	struct stint_map *work; /* "controller/namespace/name" -> struct work */
	struct stint_map *job_memories; /* uid of a Job -> struct job_memory */
	struct stint_map *missing_nodes; /* name -> since when pods name it and it is not there (int64_t, monotonic) */
	struct garbage *garbage;
	struct stint_subscription *events;
	struct stint_timer *tidying;
	const struct stint_kind *pod_kind, *namespace_kind, *node_kind, *service_kind, *budget_kind, *slice_kind;
	const struct stint_kind *account_kind, *config_kind;
};

extern const struct controller job_controller, replica_controller, deployment_controller, stateful_controller, daemon_controller;
extern const struct controller volume_claim_controller, volume_controller, storage_class_controller;
extern const struct controller pod_claim_controller, resource_claim_controller;
extern const struct controller namespace_controller, node_controller, budget_controller, endpoint_controller;

/* Syncs the object in delay_ms (0: in the next turn), or sooner if it was to be synced sooner. */
void hub_wake(struct hub *hub, const struct controller *controller, const char *space, const char *name, int64_t delay_ms);

/* The object as a tree, owned by the caller; NULL when it is not there. */
struct stint_json *hub_read(const struct hub *hub, const struct controller *controller, const char *space, const char *name);
/* Replaces the status (taken over) if the object still has that uid. */
void hub_write_status(struct hub *hub, const struct controller *controller, const struct stint_json *object, struct stint_json *status);
/* Creates the pod (taken over), says so in an Event about owner, and remembers it. False: an Event tells why not. */
bool hub_create_pod(struct hub *hub, const struct controller *controller, const struct stint_json *owner, struct stint_json *pod);
bool hub_delete_pod(struct hub *hub, const struct controller *controller, const struct stint_json *owner, const struct pod_facts *pod);
/* A change for stint_api_change: takes that finalizer (a char *) off; false: it was not there. */
bool hub_take_finalizer_off(void *finalizer, struct stint_json *object);
/* Takes the Job tracking finalizer off. */
void hub_release_pod(struct hub *hub, const struct pod_facts *pod);
/* Sets or removes the controller reference of a pod: adoption and release by label. */
bool hub_adopt_pod(struct hub *hub, const struct stint_json *owner, const struct pod_facts *pod);
bool hub_disown_pod(struct hub *hub, const struct stint_json *owner, const struct pod_facts *pod);
/*
 * The pods that owner controls after pods that no longer match its selector have been let go and matching orphans taken in. A deleting
 * owner takes in none.
 */
void hub_claim_pods(struct hub *hub, const struct stint_json *owner, struct pod_list *out);
void hub_tell(struct hub *hub, const struct controller *controller, const struct stint_json *about, const char *type, const char *reason,
	const char *format, ...) STINT_PRINTF(6, 7);

/* garbage.c */
struct garbage *garbage_new(struct hub *hub);
void garbage_free(struct garbage *garbage);
void garbage_event(struct garbage *garbage, const struct stint_store_event *event); /* each event of every kind */
void garbage_learn(struct garbage *garbage, const struct stint_stored *stored, const struct stint_json *object);
/* tidy.c: finished and lost pods, old Events; every few seconds */
void tidy(struct hub *hub);
/* namespace.c */
void namespace_event(struct hub *hub, const struct stint_store_event *event); /* each event of every kind */
/* claims.c */
void claims_pod_event(struct hub *hub, const struct stint_json *pod, const struct pod_facts *facts); /* pod NULL: it has gone */
/* job_edge.c */
void job_pod_event(struct hub *hub, const struct pod_facts *pod);
void job_gone(struct hub *hub, const char *uid);

#endif
