package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// Mebibytes returns a quantity of bytes in MiB (2^20 bytes), rounded up; 0 without a quantity.
func Mebibytes(q *resource.Quantity) int64 {
	if q == nil {
		return 0
	}
	const mebibyte = 1 << 20
	return (q.Value() + mebibyte - 1) / mebibyte
}
