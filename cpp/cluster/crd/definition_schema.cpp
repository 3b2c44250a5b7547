#include "cluster/crd/definition_schema.hpp"

namespace kruise::cluster {

std::string_view definition_schema() {
  return R"({
"type":"object",
"description":"https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#customresourcedefinition-v1-apiextensions-k8s-io",
"required":["spec"],
"properties":{
  "apiVersion":{"type":"string"},
  "kind":{"type":"string"},
  "metadata":{"type":"object"},
  "spec":{
    "type":"object",
    "description":"https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#customresourcedefinitionspec-v1-apiextensions-k8s-io",
    "required":["group","names","scope","versions"],
    "properties":{
      "conversion":{"type":"object","required":["strategy"],"properties":{
        "strategy":{"type":"string"},
        "webhook":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}},
      "group":{"type":"string"},
      "names":{"type":"object","required":["kind","plural"],"properties":{
        "categories":{"type":"array","items":{"type":"string"}},
        "kind":{"type":"string"},
        "listKind":{"type":"string"},
        "plural":{"type":"string"},
        "shortNames":{"type":"array","items":{"type":"string"}},
        "singular":{"type":"string"}}},
      "preserveUnknownFields":{"type":"boolean"},
      "scope":{"type":"string","enum":["Cluster","Namespaced"]},
      "versions":{"type":"array","items":{"type":"object","required":["name","served","storage"],"properties":{
        "additionalPrinterColumns":{"type":"array","items":{"type":"object","required":["jsonPath","name","type"],"properties":{
          "description":{"type":"string"},
          "format":{"type":"string"},
          "jsonPath":{"type":"string"},
          "name":{"type":"string"},
          "priority":{"type":"integer","format":"int32"},
          "type":{"type":"string"}}}},
        "deprecated":{"type":"boolean"},
        "deprecationWarning":{"type":"string"},
        "name":{"type":"string"},
        "schema":{"type":"object","properties":{
          "openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}},
        "selectableFields":{"type":"array","items":{"type":"object","required":["jsonPath"],"properties":{
          "jsonPath":{"type":"string"}}}},
        "served":{"type":"boolean"},
        "storage":{"type":"boolean"},
        "subresources":{"type":"object","properties":{
          "scale":{"type":"object","required":["specReplicasPath","statusReplicasPath"],"properties":{
            "labelSelectorPath":{"type":"string"},
            "specReplicasPath":{"type":"string"},
            "statusReplicasPath":{"type":"string"}}},
          "status":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}}}}},
  "status":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}})";
}

}  // namespace kruise::cluster
