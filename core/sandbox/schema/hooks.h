/*
 * The functions that hang on single types: defaults that depend on other fields (defaults_*.c) and rules across fields (check_*.c).
 * hooks.c is the table that binds them to types. Internal to core/sandbox/schema/.
 */
#ifndef STINT_SANDBOX_SCHEMA_HOOKS_H
#define STINT_SANDBOX_SCHEMA_HOOKS_H

#include "core/sandbox/schema/types.h"

/* defaults_pod.c */
void default_pod(struct stint_json *pod);
void default_pod_spec(struct stint_json *spec);
void default_container(struct stint_json *container);
void default_volume(struct stint_json *volume);
void default_image_volume(struct stint_json *source);
void default_node_status(struct stint_json *status);

/* defaults_kinds.c */
void default_namespace(struct stint_json *object);
void default_secret(struct stint_json *object);
void default_service_spec(struct stint_json *spec);
void default_service_port(struct stint_json *port);
void default_limit_range_item(struct stint_json *item);
void default_deployment_strategy(struct stint_json *strategy);
void default_stateful_set_strategy(struct stint_json *strategy);
void default_daemon_set_strategy(struct stint_json *strategy);
void default_replication_controller(struct stint_json *object);
void default_job(struct stint_json *job);
void default_autoscaler(struct stint_json *spec);
void default_network_policy(struct stint_json *spec);
void default_role_subject(struct stint_json *subject);
void default_device_request(struct stint_json *request);
void default_definition(struct stint_json *spec);

/* check_pod.c, check_container.c, check_volume.c */
void check_pod(struct check *check, const struct stint_json *pod);
void check_pod_spec(struct check *check, const struct stint_json *spec);
void check_toleration(struct check *check, const struct stint_json *toleration);
void check_taint(struct check *check, const struct stint_json *taint);
void check_affinity_term(struct check *check, const struct stint_json *term);
void check_node_selector_requirement(struct check *check, const struct stint_json *requirement);
void check_container(struct check *check, const struct stint_json *container);
void check_container_port(struct check *check, const struct stint_json *port);
void check_env_var(struct check *check, const struct stint_json *variable);
void check_probe(struct check *check, const struct stint_json *probe);
void check_lifecycle_handler(struct check *check, const struct stint_json *handler);
void check_resources(struct check *check, const struct stint_json *resources);
void check_volume(struct check *check, const struct stint_json *volume);
void check_claim_spec(struct check *check, const struct stint_json *spec);
void check_persistent_volume(struct check *check, const struct stint_json *volume);

/* check_meta.c */
void check_template_metadata(struct check *check, const struct stint_json *metadata);
void check_label_selector(struct check *check, const struct stint_json *selector);

/* check_workload.c */
void check_deployment(struct check *check, const struct stint_json *object);
void check_replica_set(struct check *check, const struct stint_json *object);
void check_stateful_set(struct check *check, const struct stint_json *object);
void check_daemon_set(struct check *check, const struct stint_json *object);
void check_replication_controller(struct check *check, const struct stint_json *object);
void check_job(struct check *check, const struct stint_json *object);
void check_cron_job(struct check *check, const struct stint_json *object);

/* check_kinds.c */
void check_config_map(struct check *check, const struct stint_json *object);
void check_secret(struct check *check, const struct stint_json *object);
void check_service(struct check *check, const struct stint_json *object);
void check_event(struct check *check, const struct stint_json *object);
void check_node(struct check *check, const struct stint_json *object);
void check_priority_class(struct check *check, const struct stint_json *object);
void check_disruption_budget(struct check *check, const struct stint_json *object);
void check_lease(struct check *check, const struct stint_json *object);
void check_policy_rule(struct check *check, const struct stint_json *rule);
void check_autoscaler(struct check *check, const struct stint_json *object);
void check_endpoint_slice(struct check *check, const struct stint_json *object);
void check_roles_binding(struct check *check, const struct stint_json *object);

/* check_custom.c */
void check_definition(struct check *check, const struct stint_json *object);
void check_queue(struct check *check, const struct stint_json *object);
void check_pod_group(struct check *check, const struct stint_json *object);
void check_topology(struct check *check, const struct stint_json *object);

#endif
