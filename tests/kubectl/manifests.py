"""What the tests apply."""

CLONE_SET = """
apiVersion: apps.kruise.io/v1alpha1
kind: CloneSet
metadata: {name: web}
spec:
  replicas: 3
  minReadySeconds: 0
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: main, image: "nginx:1"}
      - {name: side, image: "envoy:1"}
  updateStrategy: {type: InPlaceIfPossible, maxUnavailable: 100%}
"""

POD = """
apiVersion: v1
kind: Pod
metadata: {name: lone, labels: {app: lone}}
spec:
  containers:
  - {name: main, image: "nginx:1"}
  - {name: side, image: "envoy:1"}
"""
