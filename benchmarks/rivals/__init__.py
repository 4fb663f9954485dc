"""The same list of orders on other packages for tenants, each as its documentation says."""
