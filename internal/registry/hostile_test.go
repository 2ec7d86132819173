package registry

import (
	"runtime"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Whoever may write ConfigMaps in one namespace must not bring down the operator of all.

func TestParseReservesNoMemoryForWhatIsOnlyClaimed(t *testing.T) {
	index := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: ConfigMapName},
		Data:       map[string]string{IndexKey: `{"format":1,"tasks":1000000,"shards":[]}`},
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Parse(index, nil)
	runtime.ReadMemStats(&after)
	if err == nil {
		t.Error("Parse(...): want an error")
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("Parse(...) of an index without shards: want less than 1 MiB, got %d bytes", took)
	}
}

func TestDecodeIsQuickWithHostileQuantities(t *testing.T) {
	const patience = 20 * time.Second // parsing the first quantity takes minutes
	begin := time.Now()
	_, err := Decode(`{"name":"a","kubernetes":{"uid":"u","placement":{"requests":{"cpu":"1e-100000000"},"requests":{"cpu":"1"}}}}`)
	if took := time.Since(begin); took > patience {
		t.Errorf("Decode(...): want it at once, took %s (error: %v)", took, err)
	}
}
