// A shared informer of client-go over the config maps of a namespace: tells on its output what it saw, one word and name a line.
package main

import (
	"fmt"
	"os"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

func say(word string, object any) {
	if gone, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = gone.Obj
	}
	configMap := object.(*core.ConfigMap)
	fmt.Printf("%s %s %s\n", word, configMap.Name, configMap.Data["k"])
}

func main() {
	client := kubernetes.NewForConfigOrDie(&rest.Config{Host: os.Args[1]})
	factory := informers.NewSharedInformerFactoryWithOptions(client, time.Hour, informers.WithNamespace(os.Args[2]))
	informer := factory.Core().V1().ConfigMaps().Informer()
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(object any) { say("added", object) },
		UpdateFunc: func(_, object any) { say("updated", object) },
		DeleteFunc: func(object any) { say("deleted", object) },
	})
	if err != nil {
		panic(err)
	}
	stop := make(chan struct{})
	factory.Start(stop)
	factory.WaitForCacheSync(stop)
	fmt.Printf("synced %d\n", len(informer.GetStore().ListKeys()))
	<-stop
}
