"""Every message, enum and service of the coprocess contract."""

from coprocess_common_pb2 import *
from coprocess_mini_request_object_pb2 import *
from coprocess_object_pb2 import *
from coprocess_response_object_pb2 import *
from coprocess_return_overrides_pb2 import *
from coprocess_session_state_pb2 import *
from grapnel_facts_pb2 import *
from grapnel_session_pb2 import *
from grapnel_stream_pb2 import *
from grapnel_values_pb2 import *
from coprocess_object_pb2_grpc import *
from grapnel_stream_pb2_grpc import *
