# Google Cloud Run functions: the service, its account and the bucket of models. `segue deploy google` applies this.

variable "project" {
  type = string
  description = "The project that pays"
}

variable "region" {
  type = string
  default = "europe-west1" # the nearest to your callers
}

variable "name" {
  type = string
  default = "segue" # another name is another stage
}

variable "package" {
  type = string
  default = "../../dist/gcp.zip" # what `segue package gcp` made
}

variable "python" {
  type = string
  default = "python313" # what `package --python` was given
}

variable "artifacts" {
  type = string
  default = "bundled" # in the package; bucket: the function reads what `segue publish` puts there
}

variable "memory" {
  type = string
  default = "1Gi" # files that the function writes count as memory
}

variable "timeout" {
  type = number
  default = 10 # seconds that a request may take
}

variable "min_instances" {
  type = number
  default = 0 # 0 sleeps until asked and costs nothing meanwhile
}

variable "max_instances" {
  type = number
  default = 10 # the guard of your bill
}

variable "public" {
  type = bool
  default = true # false: callers need an identity of Google's with roles/run.invoker
}

variable "cors" {
  type = string
  default = "" # origins whose pages may ask, with commas; *: all
}

variable "open" {
  type = bool
  default = false # true, as `segue deploy --public` sets it: whoever knows the address may call, without a key of ours
}

variable "alarm_bytes" {
  type = number
  default = 5000000000 # bytes sent in an hour that are an alarm: 0.60 dollars of traffic, docs/cost.md
}

# Secrets come from the environment of whoever deploys, TF_VAR_api_keys; `segue key` makes them.
variable "api_keys" {
  type = string
  default = ""
  sensitive = true
}

variable "token_secret" {
  type = string
  default = ""
  sensitive = true
}

terraform {
  required_version = ">= 1.5"
  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.20"
    }
  }
}

provider "google" {
  project = var.project
  region  = var.region
}

resource "google_storage_bucket" "models" {
  name                        = "${var.project}-${var.name}-models"
  location                    = var.region
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  versioning {
    enabled = true
  }
  lifecycle_rule {
    condition {
      days_since_noncurrent_time = 30
    }
    action {
      type = "Delete"
    }
  }
}

resource "google_storage_bucket_object" "package" {
  name   = "packages/${filesha256(var.package)}.zip"
  bucket = google_storage_bucket.models.name
  source = var.package
}

resource "google_service_account" "runtime" {
  account_id   = "${var.name}-runtime"
  display_name = "What the function may do: read models/"
}

resource "google_storage_bucket_iam_member" "reads_models" {
  bucket = google_storage_bucket.models.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.runtime.member
  condition {
    title      = "models-only"
    expression = "resource.name.startsWith(\"projects/_/buckets/${google_storage_bucket.models.name}/objects/models/\")"
  }
}

resource "google_cloud_run_v2_service" "recommend" {
  name                = var.name
  location            = var.region
  deletion_protection = false
  lifecycle {
    precondition {
      condition     = var.open || !var.public || var.api_keys != ""
      error_message = "SEGUE_API_KEYS is empty: make a key with `segue key` and export its digest, or deploy with --public."
    }
  }
  build_config {
    source_location          = "gs://${google_storage_bucket.models.name}/${google_storage_bucket_object.package.name}"
    function_target          = "recommend"
    base_image               = "${var.region}-docker.pkg.dev/serverless-runtimes/google-22-full/runtimes/${var.python}"
    enable_automatic_updates = true
  }
  template {
    service_account                  = google_service_account.runtime.email
    timeout                          = "${var.timeout}s"
    max_instance_request_concurrency = 8
    scaling {
      min_instance_count = var.min_instances
      max_instance_count = var.max_instances
    }
    containers {
      image = "us-docker.pkg.dev/cloudrun/container/hello" # until the first build
      resources {
        limits            = { cpu = "1", memory = var.memory }
        cpu_idle          = true
        startup_cpu_boost = true
      }
      startup_probe {
        http_get {
          path = "/healthz"
        }
        period_seconds    = 1
        timeout_seconds   = 1
        failure_threshold = 30
      }
      dynamic "env" {
        for_each = {
          SEGUE_ARTIFACTS    = var.artifacts == "bucket" ? "gs://${google_storage_bucket.models.name}/models" : ""
          SEGUE_CACHE_MB     = "400"
          SEGUE_PRELOAD      = "1"
          SEGUE_CORS         = var.cors
          SEGUE_API_KEYS     = var.api_keys
          SEGUE_TOKEN_SECRET = var.token_secret
        }
        content {
          name  = env.key
          value = env.value
        }
      }
    }
  }
}

resource "google_monitoring_alert_policy" "bytes" {
  display_name = "${var.name}: more bytes sent in an hour than alarm_bytes"
  combiner     = "OR"
  conditions {
    display_name = "bytes sent"
    condition_threshold {
      filter          = "resource.type = \"cloud_run_revision\" AND resource.labels.service_name = \"${var.name}\" AND metric.type = \"run.googleapis.com/container/network/sent_bytes_count\""
      comparison      = "COMPARISON_GT"
      threshold_value = var.alarm_bytes
      duration        = "0s"
      aggregations {
        alignment_period     = "3600s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }
  documentation {
    content = "docs/runbook.md, too expensive"
  }
}

resource "google_cloud_run_v2_service_iam_member" "public" {
  count    = var.public ? 1 : 0
  name     = google_cloud_run_v2_service.recommend.name
  location = var.region
  role     = "roles/run.invoker"
  member   = "allUsers" # a public address; SEGUE_API_KEYS closes it
}

output "url" {
  value = google_cloud_run_v2_service.recommend.uri
}

output "models" {
  value = "gs://${google_storage_bucket.models.name}/models" # for `segue publish`
}
