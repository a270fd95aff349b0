/*
 * Which code hangs on which type.
 */
#include "core/sandbox/schema/hooks.h"

#include <string.h>

#define CORE "io.k8s.api.core.v1."
#define APPS "io.k8s.api.apps.v1."
#define RBAC "io.k8s.api.rbac.v1."
#define META "io.k8s.apimachinery.pkg.apis.meta.v1."

static const struct type_hook hooks[] = {
	{META "ObjectMeta", NULL, check_template_metadata},
	{META "LabelSelector", NULL, check_label_selector},
	{CORE "Pod", default_pod, check_pod},
	{CORE "PodSpec", default_pod_spec, check_pod_spec},
	{CORE "Container", default_container, check_container},
	{CORE "EphemeralContainer", default_container, check_container},
	{CORE "ContainerPort", NULL, check_container_port},
	{CORE "EnvVar", NULL, check_env_var},
	{CORE "Probe", NULL, check_probe},
	{CORE "LifecycleHandler", NULL, check_lifecycle_handler},
	{CORE "ResourceRequirements", NULL, check_resources},
	{CORE "Toleration", NULL, check_toleration},
	{CORE "Taint", NULL, check_taint},
	{CORE "PodAffinityTerm", NULL, check_affinity_term},
	{CORE "NodeSelectorRequirement", NULL, check_node_selector_requirement},
	{CORE "Volume", default_volume, check_volume},
	{CORE "ImageVolumeSource", default_image_volume, NULL},
	{CORE "PersistentVolumeClaimSpec", NULL, check_claim_spec},
	{CORE "PersistentVolume", NULL, check_persistent_volume},
	{CORE "Node", NULL, check_node},
	{CORE "NodeStatus", default_node_status, NULL},
	{CORE "Namespace", default_namespace, NULL},
	{CORE "ConfigMap", NULL, check_config_map},
	{CORE "Secret", default_secret, check_secret},
	{CORE "Service", NULL, check_service},
	{CORE "ServiceSpec", default_service_spec, NULL},
	{CORE "ServicePort", default_service_port, NULL},
	{CORE "Event", NULL, check_event},
	{CORE "LimitRangeItem", default_limit_range_item, NULL},
	{CORE "ReplicationController", default_replication_controller, check_replication_controller},
	{APPS "Deployment", NULL, check_deployment},
	{APPS "DeploymentStrategy", default_deployment_strategy, NULL},
	{APPS "ReplicaSet", NULL, check_replica_set},
	{APPS "StatefulSet", NULL, check_stateful_set},
	{APPS "StatefulSetUpdateStrategy", default_stateful_set_strategy, NULL},
	{APPS "DaemonSet", NULL, check_daemon_set},
	{APPS "DaemonSetUpdateStrategy", default_daemon_set_strategy, NULL},
	{"io.k8s.api.batch.v1.Job", default_job, check_job},
	{"io.k8s.api.batch.v1.CronJob", NULL, check_cron_job},
	{"io.k8s.api.events.v1.Event", NULL, check_event},
	{"io.k8s.api.discovery.v1.EndpointSlice", NULL, check_endpoint_slice},
	{"io.k8s.api.scheduling.v1.PriorityClass", NULL, check_priority_class},
	{"io.k8s.api.policy.v1.PodDisruptionBudget", NULL, check_disruption_budget},
	{"io.k8s.api.coordination.v1.Lease", NULL, check_lease},
	{"io.k8s.api.networking.v1.NetworkPolicySpec", default_network_policy, NULL},
	{"io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec", default_autoscaler, NULL},
	{"io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler", NULL, check_autoscaler},
	{RBAC "PolicyRule", NULL, check_policy_rule},
	{RBAC "Subject", default_role_subject, NULL},
	{RBAC "RoleBinding", NULL, check_roles_binding},
	{RBAC "ClusterRoleBinding", NULL, check_roles_binding},
	{"io.k8s.api.resource.v1.ExactDeviceRequest", default_device_request, NULL},
	{"io.k8s.api.resource.v1.DeviceSubRequest", default_device_request, NULL},
	{"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec", default_definition, NULL},
	{"io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition", NULL, check_definition},
	{"run.ai.scheduling.v2.Queue", NULL, check_queue},
	{"run.ai.scheduling.v2alpha2.PodGroup", NULL, check_pod_group},
	{"scheduler.kai.v1alpha1.Topology", NULL, check_topology},
};

const struct type_hook *schema_hook(const char *full_name)
{
	for (size_t i = 0; i < STINT_COUNT(hooks); i++)
		if (strcmp(hooks[i].type, full_name) == 0)
			return &hooks[i];
	return NULL;
}
